// A service: its colour and its name. The colour comes from the palette (theme/); the name is always there too, since
// colour never stands alone.

import { cx } from '../props.ts';
import css from './ServiceName.module.css';

export type ServiceDotProps = {
  /** A CSS colour. */
  color: string;
  /** Services 13 to 24 reuse the hues with stripes. */
  isHatched?: boolean | undefined;
};

/** The swatch alone, for places where the name stands beside it. */
export function ServiceDot({ color, isHatched = false }: ServiceDotProps) {
  return <span aria-hidden className={cx(css['dot'], isHatched && css['hatched'])} style={{ color }} />;
}

export type ServiceNameProps = ServiceDotProps & {
  name: string;
  /** After the name, in secondary colour: the operation. */
  operation?: string | undefined;
};

export function ServiceName({ name, operation, ...dot }: ServiceNameProps) {
  return (
    <span className={css['name']}>
      <ServiceDot {...dot} />
      <span className={css['text']}>
        <span className={css['service']}>{name}</span>
        {operation !== undefined && <span className={css['operation']}>{` ${operation}`}</span>}
      </span>
    </span>
  );
}
