// Reads stack traces of the common languages: which lines are frames, and which of them are of libraries.

export type StackLine = { readonly text: string; readonly kind: 'head' | 'own' | 'library' };

const FRAME = /^\s*(at |File "|from |#\d+ |\d+: |goroutine |\.\.\. \d+ more|[\w./*()]+\(.*\)$|\t)/;
const LIBRARY =
  /node_modules|node:internal|site-packages|dist-packages|\/lib\/python|\/usr\/(lib|local)|\bjava(x)?\.|\bjdk\.|\bsun\.|org\.(springframework|apache|hibernate|eclipse|jboss)|io\.(netty|grpc|opentelemetry)|\bkotlin(x)?\.|System\.|Microsoft\.|\/go\/(src|pkg)\/|\bruntime\.|\/rustc\/|\b(core|std|tokio|hyper)::|\/gems\//;

export function stackLines(stack: string): StackLine[] {
  return stack
    .replace(/\r\n?/g, '\n')
    .replace(/\n+$/, '')
    .split('\n')
    .map((text) => {
      const kind = !FRAME.test(text) ? 'head' : LIBRARY.test(text) ? 'library' : 'own';
      return { text, kind };
    });
}
