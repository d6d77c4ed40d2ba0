// The heading of a page: sets the window's title, and takes the focus when the route changes, so that a screen reader
// reads where one is. Not on the first page: a fresh load starts at the top.

import { type ReactNode, useEffect, useRef } from 'react';
import { cx } from '../props.ts';
import css from './PageTitle.module.css';

let focusedRoute: string | null = null;

export type PageTitleProps = {
  /** For the window: "frontend GET /checkout". */
  title: string;
  /** What is shown, if more than the title. */
  children?: ReactNode;
  /** Changes when another thing is shown: "/trace/4bf9…". Refinements within a page keep it. */
  routeKey: string;
  appName?: string | undefined;
  isHidden?: boolean | undefined;
};

export function PageTitle({ title, children, routeKey, appName = 'Trackway', isHidden = false }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title === '' ? appName : `${title} · ${appName}`;
  }, [title, appName]);
  useEffect(() => {
    if (focusedRoute !== null && focusedRoute !== routeKey) heading.current?.focus({ preventScroll: true });
    focusedRoute = routeKey;
  }, [routeKey]);
  return (
    <h1 ref={heading} tabIndex={-1} className={cx(css['title'], isHidden && css['hidden'])}>
      {children ?? title}
    </h1>
  );
}
