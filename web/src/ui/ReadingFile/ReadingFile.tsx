// How far the reading of a file is, with a way to end it.

import { formatBytes } from '../../format/number.ts';
import { Banner } from '../Banner/Banner.tsx';
import { Button } from '../Button/Button.tsx';
import { text } from './text.ts';

export type ReadingFileProps = {
  name: string;
  /** Bytes. */
  read: number;
  all: number;
  onCancel: () => void;
};

export function ReadingFile({ name, read, all, onCancel }: ReadingFileProps) {
  const words =
    read < all ? text.reading(name, formatBytes(read), formatBytes(all)) : text.building(name, formatBytes(all));
  return (
    <Banner
      actions={
        <Button size="small" onPress={onCancel}>
          {text.cancel}
        </Button>
      }
    >
      <span aria-live="off">{words}</span>
    </Banner>
  );
}
