// Which attributes are columns.

import { ChevronDown } from 'lucide-react';
import { Button } from '../../ui/Button/Button.tsx';
import { Popover, PopoverTrigger } from '../../ui/Popover/Popover.tsx';
import type { ColumnsProps } from './ColumnsForm.tsx';
import { LazyColumnsForm } from './lazyParts.tsx';
import { text } from './text.ts';

export function ColumnsPopover(props: ColumnsProps) {
  return (
    <PopoverTrigger>
      <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
        {text.columns}
      </Button>
      <Popover label={text.columns} placement="bottom end">
        <LazyColumnsForm {...props} />
      </Popover>
    </PopoverTrigger>
  );
}
