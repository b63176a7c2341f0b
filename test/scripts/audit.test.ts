/** The audit of dependencies: what passes, for how long, and what is said when nobody could look. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { runAudit, type Allowed } from '../../scripts/audit/run-audit.js';

const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-audit-'));
const file = path.join(folder, 'allowed.json');

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function audit(report: unknown, allowed: readonly Allowed[] = []) {
  writeFileSync(file, JSON.stringify(allowed));
  const said: string[] = [];
  const output = { write: (text: string) => said.push(text) };
  const text = typeof report === 'string' ? report : JSON.stringify(report);
  const code = runAudit(text, file, new Date('2027-03-01T12:00:00Z'), {
    stdout: output,
    stderr: output,
  });
  return { code, said: said.join('') };
}

/** As npm 10 and 11 report. */
const hole = {
  auditReportVersion: 2,
  vulnerabilities: {
    inner: {
      name: 'inner',
      severity: 'high',
      via: [
        {
          source: 1,
          name: 'inner',
          title: 'Runs what it is sent',
          url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
          severity: 'high',
        },
      ],
    },
    outer: { name: 'outer', severity: 'high', via: ['inner'] },
  },
};
const entry = { advisory: 'GHSA-aaaa-bbbb-cccc', reason: 'It is never sent anything.' };

describe('runAudit', () => {
  it('passes where there is no hole', () => {
    expect(audit({ auditReportVersion: 2, vulnerabilities: {} }).code).toBe(0);
  });

  it('fails on a hole, and names it', () => {
    const { code, said } = audit(hole);
    expect(code).toBe(1);
    expect(said).toBe('inner: high, Runs what it is sent (GHSA-aaaa-bbbb-cccc)\n');
  });

  it('lets a hole pass until its day is over', () => {
    expect(audit(hole, [{ ...entry, until: '2027-03-01' }])).toMatchObject({ code: 0 });
    const { code, said } = audit(hole, [{ ...entry, until: '2027-02-28' }]);
    expect(code).toBe(1);
    expect(said).toContain('GHSA-aaaa-bbbb-cccc was allowed until 2027-02-28');
  });

  it('lets nothing pass for another advisory, without a reason, or without a day', () => {
    const until = '2027-12-31';
    expect(audit(hole, [{ ...entry, advisory: 'GHSA-xxxx', until }]).code).toBe(1);
    expect(audit(hole, [{ ...entry, reason: ' ', until }]).code).toBe(1);
    expect(audit(hole, [{ ...entry, until: 'some day' }]).code).toBe(1);
  });

  it.each([
    ['an error of the registry', { message: '405 Method Not Allowed', statusCode: 405 }],
    ['nothing', ''],
    ['a report of another form', { auditReportVersion: 9, vulnerabilities: {} }],
  ])('says that nobody could look after %s', (_, report) => {
    const { code, said } = audit(report);
    expect(code).toBe(3);
    expect(said).toMatch(/^NOT AUDITED/);
  });

  it('is given a list of the right form', () => {
    const real = path.join(__dirname, '../../scripts/audit/allowed.json');
    for (const one of JSON.parse(readFileSync(real, 'utf8')) as readonly Allowed[]) {
      expect(one).toEqual({
        advisory: expect.stringMatching(/^GHSA-/),
        reason: expect.stringMatching(/\S/),
        until: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      });
    }
  });
});
