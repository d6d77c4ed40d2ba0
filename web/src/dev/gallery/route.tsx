// Every component in its states: for axe, for screenshots, and to look at while changing one.

import { LiveRegion } from '../../ui/LiveRegion/LiveRegion.tsx';
import { Controls } from './Controls.tsx';
import { Feedback } from './Feedback.tsx';
import css from './gallery.module.css';

export default function Gallery() {
  return (
    <main className={css['page']}>
      <h1>{'Components'}</h1>
      <Controls />
      <Feedback />
      <LiveRegion />
    </main>
  );
}
