// Made-up data for the gallery.

export const services = [
  {
    name: 'checkout',
    color: 'light-dark(#3495e1, #83ac86)',
    spans: 81_204,
    errors: 730,
    p95: 2100,
    trend: [3, 4, 3, 5, 9, 12, 11],
  },
  {
    name: 'frontend',
    color: 'light-dark(#c2794d, #fbbb94)',
    spans: 64_010,
    errors: 128,
    p95: 310,
    trend: [6, 6, 7, 6, 6, 7, 6],
  },
  {
    name: 'inventory',
    color: 'light-dark(#075f4f, #c1de00)',
    spans: 40_113,
    errors: 1243,
    p95: 88,
    trend: [2, 2, null, null, 9, 9, 8],
  },
  {
    name: 'payment-gateway-adapter-eu-central-1',
    color: 'light-dark(#9055ae, #8557e5)',
    spans: 9_871,
    errors: 3,
    p95: 1210,
    trend: [1, 2, 1, 2, 1, 2, 1],
  },
];

export type Sample = {
  id: string;
  time: string;
  name: string;
  service: number;
  ms: number;
  spans: number;
  errors: number;
};

export function sampleRows(count: number): Sample[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `trace ${i}`,
    time: `15:0${i % 10}:${String((i * 37) % 60).padStart(2, '0')}.${String((i * 271) % 1000).padStart(3, '0')}`,
    name: ['GET /checkout', 'POST /pay', 'GET /items/:id', 'SELECT items WHERE sku IN (…)'][i % 4] ?? '',
    service: i % 4,
    ms: ((i * 7919) % 2140) + 1,
    spans: ((i * 131) % 412) + 1,
    errors: i % 5 === 0 ? (i % 3) + 1 : 0,
  }));
}

export const json = {
  user: { id: 4711, name: 'Ada', roles: ['admin', 'buyer'], address: { city: 'London', zip: null } },
  items: Array.from({ length: 120 }, (_, i) => ({ sku: `SKU-${i}`, amount: i % 5 })),
  isExpress: true,
  total: 129.9,
  note: 'Leave at the door, please. The bell is broken.',
};

export const sql = `SELECT id, name, price
FROM items
WHERE sku IN ($1, $2, $3) AND warehouse = $4 AND removed_at IS NULL ORDER BY price DESC, name ASC LIMIT 100`;
