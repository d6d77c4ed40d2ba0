// Every component in its states: for axe, for screenshots, and to look at while changing one.

import { LiveRegion } from '../../ui/LiveRegion/LiveRegion.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { SkipLink } from '../../ui/SkipLink/SkipLink.tsx';
import { Controls } from './Controls.tsx';
import { Displays } from './Displays.tsx';
import { Feedback } from './Feedback.tsx';
import { Fields } from './Fields.tsx';
import css from './gallery.module.css';
import { Tables } from './Tables.tsx';

export default function Gallery() {
  return (
    <>
      <SkipLink targetId="gallery" />
      <main id="gallery" className={css['page']}>
        <PageTitle title="Components" routeKey="gallery" />
        <Controls />
        <Fields />
        <Feedback />
        <Tables />
        <Displays />
        <LiveRegion />
      </main>
    </>
  );
}
