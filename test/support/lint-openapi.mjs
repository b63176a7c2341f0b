/** Lints OpenAPI documents, as lines of JSON on standard input; prints what is wrong with each, a line of JSON each. */
import { createInterface } from 'node:readline';
import { createConfig, lintFromString } from '@redocly/openapi-core';

const config = await createConfig({
  extends: ['recommended'],
  // An optional parameter and its path are one route here, as in the standard: /rendered/{frames} is beside /frames/{frames}.
  rules: { 'operation-2xx-response': 'error', 'no-invalid-schema-examples': 'error' },
});
for await (const source of createInterface({ input: process.stdin })) {
  const problems = await lintFromString({ source, config, absoluteRef: 'openapi.json' });
  const told = problems.map(({ ruleId, message, location }) => [
    ruleId,
    message,
    location[0]?.pointer,
  ]);
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
