// Who may buy, and what one pays with. Three customers are for people, the numbered ones for load.js.

export const PASSWORD = 'shop';
export const PROVIDERS = ['acme-pay', 'globex-pay', 'initech-pay'];
export const PEOPLE = ['ada', 'ben', 'cleo'];
export const NUMBERED = Array.from({ length: 60 }, (_, index) => `customer-${index + 1}`);

const TIERS_OF_PEOPLE = { ada: 'basic', ben: 'plus', cleo: 'premium' };
const TIERS = new Map([...Object.entries(TIERS_OF_PEOPLE), ...NUMBERED.map((name, index) => [name, tierAt(index)])]);

/** Of ten customers one is premium, three are plus and six are basic. */
function tierAt(index) {
  if (index % 10 === 0) return 'premium';
  return index % 10 <= 3 ? 'plus' : 'basic';
}

/** The tier of a customer; undefined when there is no such customer. */
export function tierOf(customer) {
  return TIERS.get(customer);
}
