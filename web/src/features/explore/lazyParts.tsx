// What is loaded when it is first wanted: most readers of a page of results never open a form, follow what arrives, or
// find nothing.

import { type ComponentProps, lazy, Suspense } from 'react';
import type { AddFacet } from './AddFacet.tsx';
import type { Charts } from './Charts.tsx';
import type { ChartsTable } from './ChartsTable.tsx';
import type { ColumnsForm } from './ColumnsForm.tsx';
import type { Empty } from './Empty.tsx';
import type { FilterForm } from './FilterForm.tsx';
import type { LiveResults } from './LiveResults.tsx';
import css from './Query.module.css';

const Filter = lazy(async () => ({ default: (await import('./FilterForm.tsx')).FilterForm }));
const Columns = lazy(async () => ({ default: (await import('./ColumnsForm.tsx')).ColumnsForm }));
const Add = lazy(async () => ({ default: (await import('./AddFacet.tsx')).AddFacet }));
// Rows are there first, charts right after them: they are on their way while all matches are counted.
const chartsModule = import('./Charts.tsx');
const Drawn = lazy(async () => ({ default: (await chartsModule).Charts }));
const Table = lazy(async () => ({ default: (await import('./ChartsTable.tsx')).ChartsTable }));
const Nothing = lazy(async () => ({ default: (await import('./Empty.tsx')).Empty }));
const Live = lazy(async () => ({ default: (await import('./LiveResults.tsx')).LiveResults }));

/** The room that the form will take. */
function Room() {
  return <div className={css['room']} />;
}

export function LazyFilterForm(props: ComponentProps<typeof FilterForm>) {
  return (
    <Suspense fallback={<Room />}>
      <Filter {...props} />
    </Suspense>
  );
}

export function LazyColumnsForm(props: ComponentProps<typeof ColumnsForm>) {
  return (
    <Suspense fallback={<Room />}>
      <Columns {...props} />
    </Suspense>
  );
}

export function LazyAddFacet(props: ComponentProps<typeof AddFacet>) {
  return (
    <Suspense fallback={null}>
      <Add {...props} />
    </Suspense>
  );
}

export function LazyChartsTable(props: ComponentProps<typeof ChartsTable>) {
  return (
    <Suspense fallback={null}>
      <Table {...props} />
    </Suspense>
  );
}

export function LazyEmpty(props: ComponentProps<typeof Empty>) {
  return (
    <Suspense fallback={null}>
      <Nothing {...props} />
    </Suspense>
  );
}

export function LazyLiveResults(props: ComponentProps<typeof LiveResults>) {
  return (
    <Suspense fallback={null}>
      <Live {...props} />
    </Suspense>
  );
}

export function LazyCharts(props: ComponentProps<typeof Charts>) {
  return (
    <Suspense fallback={<div className={css['chartsRoom']} />}>
      <Drawn {...props} />
    </Suspense>
  );
}
