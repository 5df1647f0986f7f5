import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ServingBudget } from '../../../gateway/http/serving-budget.ts';

it('viewers in all and per address; a place given back is free, once', () => {
  const budget = new ServingBudget({ viewers: 3, viewersPerAddress: 2 });
  const first = budget.enter('viewer', '10.0.0.1');
  assert.ok(budget.enter('viewer', '10.0.0.1'));
  assert.equal(budget.enter('viewer', '10.0.0.1'), undefined, 'a third of the same address');
  assert.ok(budget.enter('viewer', '10.0.0.2'));
  assert.equal(budget.enter('viewer', '10.0.0.3'), undefined, 'a fourth in all');
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  assert.ok(budget.enter('viewer', '10.0.0.3'));
  assert.equal(budget.enter('viewer', '10.0.0.4'), undefined);
});

it('this machine may be a proxy: only the number in all holds', () => {
  const budget = new ServingBudget({ viewers: 3, viewersPerAddress: 1 });
  const places = [1, 2, 3].map(() => budget.enter('viewer', undefined));
  assert.ok(places.every((place) => place !== undefined));
  assert.equal(budget.enter('viewer', undefined), undefined);
  places[0]?.[Symbol.dispose]();
  assert.ok(budget.enter('viewer', undefined));
});

it('viewers take nothing of what everybody else has, and the other way round', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  assert.ok(budget.enter('viewer', '10.0.0.1'));
  const others: (Disposable | undefined)[] = [];
  for (let count = 0; count < 64; count += 1) others.push(budget.enter('admin', '10.0.0.1'));
  assert.ok(others.every((place) => place !== undefined));
  assert.equal(budget.enter('reader', '10.0.0.1'), undefined);
  others[7]?.[Symbol.dispose]();
  assert.ok(budget.enter('reader', '10.0.0.1'));
});

it('strangers, who have the page and the login, take nothing of the API, and the other way round', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  const strangers = Array.from({ length: 64 }, (_, index) =>
    budget.enter('everybody', `10.0.0.${index % 4}`),
  );
  assert.ok(strangers.every((place) => place !== undefined));
  assert.equal(budget.enter('everybody', '10.0.0.9'), undefined);
  assert.ok(budget.enter('admin', '10.0.0.1'));
  strangers[0]?.[Symbol.dispose]();
  assert.ok(budget.enter('everybody', '10.0.0.9'));
});

it('one address leaves places for other strangers', () => {
  const budget = new ServingBudget({ viewers: 1, viewersPerAddress: 1 });
  const places = Array.from({ length: 17 }, () => budget.enter('everybody', '10.0.0.1'));
  assert.equal(places.filter((place) => place !== undefined).length, 16);
  assert.ok(budget.enter('everybody', '10.0.0.2'));
  assert.ok(budget.enter('everybody', undefined));
  places[0]?.[Symbol.dispose]();
  assert.ok(budget.enter('everybody', '10.0.0.1'));
});
