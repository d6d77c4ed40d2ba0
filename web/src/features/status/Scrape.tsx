// How other tools get the numbers: Prometheus the program's own metrics and those of services, scripts the rates.

import { urlOf } from '../../api/client.ts';
import { CodeBlock } from '../../ui/CodeBlock/CodeBlock.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

/** Where the program tells its metrics unless it is told otherwise. */
const USUAL_ADMIN = '127.0.0.1:14269';

/** An address that listens on all interfaces is reached under the name that the page was. */
function targetOf(address: string): string {
  const port = address.slice(address.lastIndexOf(':'));
  return /^(0\.0\.0\.0|\[::\]):/.test(address) ? `${location.hostname}${port}` : address;
}

const RULES = `groups:
  - name: services
    rules:
      - alert: ServiceFails
        expr: >
          sum by (service) (rate(trackway_service_errors_total[5m]))
            / sum by (service) (rate(trackway_service_calls_total[5m])) > 0.05
        for: 10m
        annotations:
          summary: '{{ $labels.service }}: {{ $value | humanizePercentage }} of the calls fail'
      - alert: ServiceIsSlow
        expr: >
          histogram_quantile(0.95,
            sum by (service, le) (rate(trackway_service_duration_seconds_bucket[5m]))) > 1
        for: 10m
        annotations:
          summary: '{{ $labels.service }}: the slowest twentieth takes {{ $value | humanizeDuration }}'`;

/** `admin`: undefined while it is not known; empty: nothing is told. */
export function Scrape({ admin }: { admin: readonly string[] | undefined }) {
  const isOff = admin?.length === 0;
  const config = `scrape_configs:
  - job_name: trackway
    static_configs:
      - targets: ['${targetOf(admin?.[0] ?? USUAL_ADMIN)}']`;
  const curl = `curl '${urlOf('red', { by: 'service' })}'`;
  return (
    <section aria-labelledby="status-scrape" className={css['section']}>
      <h2 id="status-scrape" className={css['heading']}>
        {text.scrape}
      </h2>
      {isOff ? (
        <p className={css['quiet']}>{text.scrapeOff}</p>
      ) : (
        <>
          <p className={css['quiet']}>{text.scrapeProgram}</p>
          <CodeBlock label={text.scrapeConfig} code={config} />
          <p className={css['quiet']}>{text.scrapeRules}</p>
          <CodeBlock label={text.scrapeRulesCode} code={RULES} />
        </>
      )}
      <p className={css['quiet']}>{text.scrapeRed}</p>
      <CodeBlock label={text.scrapeCurl} code={curl} />
    </section>
  );
}
