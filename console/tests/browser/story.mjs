// Steps that build on each other, on a world of their own: when one fails, those after it would only fail of it.
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { endAll, makeWorld } from './world.mjs';

after(endAll);

// Runs when its file has been read; gives what adds a step.
export function story(title, begin) {
  const steps = [];
  test(title, async (context) => {
    const world = await makeWorld();
    try {
      await begin(world);
      let failed = false;
      for (const [name, work] of steps) {
        if (failed) await context.test(name, { skip: 'a step before failed' });
        else await context.test(name, (step) => work(step).catch(async (fault) => {
          failed = true;
          await describe(step, world);
          throw fault;
        }));
      }
      await context.test('nothing was blocked, contacted elsewhere, or thrown', () => {
        for (const person of world.people) assert.deepEqual(person.faults, [], person.name);
      });
    } finally {
      await world.leave();
    }
  });
  return (name, work) => { steps.push([name, work]); };
}

async function describe(step, world) {
  for (const person of world.people) step.diagnostic(`${person.name} sees: ${await person.page.innerText('body').catch(String)}`);
}
