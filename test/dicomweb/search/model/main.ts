/**
 * Tries random archives, histories and queries against the naive scan:
 * `npm run search:model -- --cases 10000 --seed 1`.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { checkCase } from './check-case.js';
import { randomCase } from './random-archive.js';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '20261120' },
    },
  });
  const [cases, seed] = [Number(values.cases), Number(values.seed)];
  const start = Date.now();
  let queries = 0;
  const property = fc.asyncProperty(randomCase, async (one) => {
    queries += one.queries.length + 1;
    await checkCase(one);
  });
  await fc.assert(property, { numRuns: cases, seed });
  const seconds = Math.round((Date.now() - start) / 1000);
  console.log(
    `${String(cases)} archives, ${String(queries)} queries, seed ${String(seed)}: no difference, ${String(seconds)} s`,
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
