// What is measured of a page as it is drawn: whether it keeps to its width, what of its texts is cut off, what its
// canvases are painted with.

import type { Page } from 'playwright-core';

/** How many pixels the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** How many pixels of all canvases have each of these colours. */
export async function pixels(page: Page, colours: readonly string[]): Promise<number[]> {
  return page.evaluate((wanted) => {
    const found = new Map(wanted.map((colour) => [colour, 0]));
    for (const canvas of document.querySelectorAll('canvas')) {
      const context = canvas.width > 0 && canvas.height > 0 ? canvas.getContext('2d') : null;
      const { data } = context?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      for (let i = 0; i < data.length; i += 4) {
        const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
        const before = found.get(colour);
        if (before !== undefined) found.set(colour, before + 1);
      }
    }
    return [...found.values()];
  }, colours);
}

/** Sets what WCAG 1.4.12 lets readers set. */
export async function spaceTexts(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
      word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }`);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

/** Lines of text of which an edge is outside of the box that cuts them off. Ends of lines may be cut, by `…`. */
export async function cutTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const SLACK_PX = 3;
    const cut = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const said = (node.textContent ?? '').trim();
      const element = node.parentElement;
      if (!element || said === '' || element.closest('[aria-hidden=true], [hidden], script, svg')) continue;
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      range.selectNodeContents(node);
      const text = range.getBoundingClientRect();
      // Only a voice has what is as small as that.
      if (text.width < 2) continue;
      for (let box: HTMLElement | null = element; box && box !== document.body; box = box.parentElement) {
        const { clipPath, overflowY } = getComputedStyle(box);
        if (clipPath !== 'none' || overflowY === 'auto' || overflowY === 'scroll') break;
        if (overflowY === 'visible') continue;
        const { top, bottom } = box.getBoundingClientRect();
        const isOutside = text.bottom <= top || text.top >= bottom;
        if (!isOutside && (text.bottom > bottom + SLACK_PX || text.top < top - SLACK_PX))
          cut.add(`${box.className || box.tagName}: ${said.slice(0, 40)}`);
      }
    }
    return [...cut];
  });
}
