// The button that opens the choice of columns.

import { ChevronDown } from 'lucide-react';
import { Suspense } from 'react';
import { Button } from '../../ui/Button/Button.tsx';
import { Popover, PopoverTrigger } from '../../ui/Popover/Popover.tsx';
import type { ColumnsProps } from './ColumnsForm.tsx';
import { ColumnsForm } from './lazies.ts';
import { text } from './text.ts';

export function ColumnsPopover(props: ColumnsProps) {
  return (
    <PopoverTrigger>
      <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
        {text.columns}
      </Button>
      <Popover label={text.columns} placement="bottom end">
        <Suspense>
          <ColumnsForm {...props} />
        </Suspense>
      </Popover>
    </PopoverTrigger>
  );
}
