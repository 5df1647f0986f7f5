import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ServingBudget } from '../../../gateway/http/serving-budget.ts';

it('viewers in all and per address; a place given back is free, once', () => {
  const budget = new ServingBudget({ viewers: 3, viewersPerAddress: 2 });
  const first = budget.enter({ access: 'viewer' }, '10.0.0.1');
  assert.ok(budget.enter({ access: 'viewer' }, '10.0.0.1'));
  assert.equal(
    budget.enter({ access: 'viewer' }, '10.0.0.1'),
    undefined,
    'a third of the same address',
  );
  assert.ok(budget.enter({ access: 'viewer' }, '10.0.0.2'));
  assert.equal(budget.enter({ access: 'viewer' }, '10.0.0.3'), undefined, 'a fourth in all');
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  assert.ok(budget.enter({ access: 'viewer' }, '10.0.0.3'));
  assert.equal(budget.enter({ access: 'viewer' }, '10.0.0.4'), undefined);
});

it('this machine may be a proxy: only the number in all holds', () => {
  const budget = new ServingBudget({ viewers: 3, viewersPerAddress: 1 });
  const places = [1, 2, 3].map(() => budget.enter({ access: 'viewer' }, undefined));
  assert.ok(places.every((place) => place !== undefined));
  assert.equal(budget.enter({ access: 'viewer' }, undefined), undefined);
  places[0]?.[Symbol.dispose]();
  assert.ok(budget.enter({ access: 'viewer' }, undefined));
});

it('viewers take nothing of what everybody else has, and the other way round', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  assert.ok(budget.enter({ access: 'viewer' }, '10.0.0.1'));
  const others: (Disposable | undefined)[] = [];
  for (let count = 0; count < 64; count += 1)
    others.push(budget.enter({ access: 'admin' }, '10.0.0.1'));
  assert.ok(others.every((place) => place !== undefined));
  assert.equal(budget.enter({ access: 'reader' }, '10.0.0.1'), undefined);
  others[7]?.[Symbol.dispose]();
  assert.ok(budget.enter({ access: 'reader' }, '10.0.0.1'));
});

it('strangers, who have the page and the login, take nothing of the API, and the other way round', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  const strangers = Array.from({ length: 64 }, (_, index) =>
    budget.enter({ access: 'everybody' }, `10.0.0.${index % 4}`),
  );
  assert.ok(strangers.every((place) => place !== undefined));
  assert.equal(budget.enter({ access: 'everybody' }, '10.0.0.9'), undefined);
  assert.ok(budget.enter({ access: 'admin' }, '10.0.0.1'));
  strangers[0]?.[Symbol.dispose]();
  assert.ok(budget.enter({ access: 'everybody' }, '10.0.0.9'));
});

it('one address leaves places for other strangers', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  const places = Array.from({ length: 17 }, () =>
    budget.enter({ access: 'everybody' }, '10.0.0.1'),
  );
  assert.equal(places.filter((place) => place !== undefined).length, 16);
  assert.ok(budget.enter({ access: 'everybody' }, '10.0.0.2'));
  assert.ok(budget.enter({ access: 'everybody' }, undefined));
  places[0]?.[Symbol.dispose]();
  assert.ok(budget.enter({ access: 'everybody' }, '10.0.0.1'));
});

it('strangers with many addresses take nothing of what this machine has, nor of what supervisors ask', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  const page = { access: 'everybody' } as const;
  const probe = { access: 'everybody', isProbe: true } as const;
  const fill = (
    route: typeof page | typeof probe,
    address: (index: number) => string | undefined,
  ) =>
    Array.from({ length: 100 }, (_, index) => budget.enter(route, address(index))).filter(
      (place) => place !== undefined,
    );
  const strange = (index: number) => `10.0.0.${index}`;
  assert.equal(fill(page, strange).length, 64);
  assert.equal(fill(probe, () => '10.0.0.1').length, 4);
  assert.equal(fill(probe, strange).length, 16 - 4);
  // A reverse proxy may stand for strangers.
  const here = fill(page, () => undefined);
  assert.equal(here.length, 64);
  const probes = fill(probe, () => undefined);
  assert.equal(probes.length, 16);
  probes[0]?.[Symbol.dispose]();
  assert.ok(budget.enter(probe, undefined));
  assert.equal(budget.enter(page, undefined), undefined);
  here[0]?.[Symbol.dispose]();
  assert.ok(budget.enter(page, undefined));
});
