// Parts of the page that are fetched when they are first opened, so that a search shows sooner.

import { lazy } from 'react';

export const Empty = lazy(async () => ({ default: (await import('./Empty.tsx')).Empty }));
export const FilterForm = lazy(async () => ({ default: (await import('./FilterForm.tsx')).FilterForm }));
export const ColumnsForm = lazy(async () => ({ default: (await import('./ColumnsForm.tsx')).ColumnsForm }));
export const QueryText = lazy(async () => ({ default: (await import('./QueryText.tsx')).QueryText }));
export const Diagnostics = lazy(async () => ({ default: (await import('./Diagnostics.tsx')).Diagnostics }));
export const AddFacet = lazy(async () => ({ default: (await import('./AddFacet.tsx')).AddFacet }));
export const ChartsTable = lazy(async () => ({ default: (await import('./ChartsTable.tsx')).ChartsTable }));
export const DownloadNotice = lazy(async () => ({ default: (await import('./DownloadNotice.tsx')).DownloadNotice }));
export const LiveResults = lazy(async () => ({ default: (await import('./LiveResults.tsx')).LiveResults }));
export const ReadingFile = lazy(async () => ({
  default: (await import('../../ui/ReadingFile/ReadingFile.tsx')).ReadingFile,
}));
