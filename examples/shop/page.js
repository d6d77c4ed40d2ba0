// The pages of the shop: plain HTML without scripts. Every text that comes from elsewhere goes through `html`.

const TRACKWAY_URL = process.env.TRACKWAY_URL || 'http://localhost:16686';
const COUNT_MAX = 9;

class Html {
  constructor(text) {
    this.text = text;
  }
}

/** A template whose values are escaped, but those that are made by it themselves. */
function html(parts, ...values) {
  return new Html(parts.reduce((text, part, index) => text + written(values[index - 1]) + part));
}

function written(value) {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(written).join('');
  return String(value ?? '').replace(/[&<>"']/g, (letter) => `&#${letter.codePointAt(0)};`);
}

/** The shop: the form of login or the catalog, and below it what payment is to do wrong. */
export function shopPage({ session, items, people, providers, faults }) {
  return page(html`
    ${session ? catalog(session, items, providers) : login(people)}
    <section class="lab">
      <h2>For learning: break payment</h2>
      ${faults ? faultsForm(faults) : html`<p>Payment does not answer.</p>`}
    </section>`);
}

/** What came of a form, with a link to its trace. */
export function answerPage({ message, isGood, traceId }) {
  const link = html`<p><a class="trace" href="${TRACKWAY_URL}/trace/${traceId}">See the trace of this request</a></p>`;
  return page(html`
    <p class="${isGood ? 'good' : 'bad'}" role="status">${message}</p>
    ${traceId ? link : ''}
    <p><a href="/">Back to the shop</a></p>`);
}

function page(body) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Shop</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <h1>Shop</h1>
    <main>${body}</main>
  </body>
</html>
`.text;
}

function login(people) {
  return html`
    <form method="post" action="/login">
      <h2>Log in</h2>
      <label>Customer <select name="customer">${people.map((name) => html`<option>${name}</option>`)}</select></label>
      <label>Password (it is “shop”) <input name="password" type="password" required></label>
      <button>Log in</button>
    </form>`;
}

function catalog({ customer, tier }, items, providers) {
  const item = ({ name, cents }, index) => html`
      <label>${name}, ${(cents / 100).toFixed(2)} €
        <input name="${name}" type="number" min="0" max="${COUNT_MAX}" value="${index === 0 ? 1 : 0}"></label>`;
  return html`
    <form method="post" action="/logout" class="who">${customer}, ${tier} <button>Log out</button></form>
    <form method="post" action="/buy">
      <h2>Catalog</h2>
      ${items.map(item)}
      <label>Pay by <select name="provider">${providers.map((name) => html`<option>${name}</option>`)}</select></label>
      <button>Buy</button>
    </form>`;
}

function faultsForm({ fault, faults }) {
  const choice = (name) => html`
        <label class="choice"><input type="radio" name="fault" value="${name}"
          ${name === fault ? html`checked` : ''}>${name}</label>`;
  return html`
      <form method="post" action="/faults">
        <p>Payment is told: <strong>${fault}</strong></p>
        ${faults.map(choice)}
        <button>Set</button>
      </form>`;
}

export const STYLE = `
body { margin: 2rem auto; max-width: 34rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; color: #1c2024; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
form, .lab { border: 1px solid #d0d7de; border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
.lab form, .who { border: 0; padding: 0; margin: 0; } .lab { background: #f6f8fa; }
label { display: flex; justify-content: space-between; gap: 1rem; margin: .4rem 0; }
.choice { display: inline-flex; gap: .3rem; margin-right: 1rem; }
input, select, button { font: inherit; } input[type=number] { width: 4rem; }
.good, .bad { border-left: .4rem solid #1a7f37; padding: .5rem 1rem; background: #f6f8fa; }
.bad { border-color: #b42318; }
`;
