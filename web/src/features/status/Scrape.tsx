// How other tools get the numbers: Prometheus the program's own metrics, scripts the rates of services.

import { urlOf } from '../../api/client.ts';
import { CodeBlock } from '../../ui/CodeBlock/CodeBlock.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

const METRICS_PORT = 14269;

export function Scrape() {
  const config = `scrape_configs:
  - job_name: trackway
    static_configs:
      - targets: ['${location.hostname}:${METRICS_PORT}']`;
  const curl = `curl '${urlOf('red', { by: 'service' })}'`;
  return (
    <section aria-labelledby="status-scrape" className={css['section']}>
      <h2 id="status-scrape" className={css['heading']}>
        {text.scrape}
      </h2>
      <p className={css['quiet']}>{text.scrapeProgram}</p>
      <CodeBlock label={text.scrapeConfig} code={config} />
      <p className={css['quiet']}>{text.scrapeRed}</p>
      <CodeBlock label={text.scrapeCurl} code={curl} />
    </section>
  );
}
