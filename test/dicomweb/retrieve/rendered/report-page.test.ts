import { describe, expect, it } from '@jest/globals';
import type { DataSet, Element, Value } from '../../../../src/dicom/data-set.js';
import { reportPage } from '../../../../src/dicomweb/retrieve/rendered/report-page.js';

const of = (vr: string, ...values: Value[]) => ({ vr, Value: values }) as Element;
const code = (meaning: string) => of('SQ', { '00080104': of('LO', meaning) } as DataSet);

function item(type: string, name: string, value: Readonly<Record<string, Element>>): DataSet {
  return { '0040A040': of('CS', type), '0040A043': code(name), ...value } as DataSet;
}

function page(...items: readonly DataSet[]): string {
  return reportPage(item('CONTAINER', 'The report', { '0040A730': of('SQ', ...items) }));
}

describe('reportPage', () => {
  it.each([
    { type: 'TEXT', value: { '0040A160': of('UT', 'clear') }, shown: 'clear' },
    { type: 'CODE', value: { '0040A168': code('Left') }, shown: 'Left' },
    { type: 'DATE', value: { '0040A121': of('DA', '20260131') }, shown: '20260131' },
    { type: 'DATETIME', value: { '0040A120': of('DT', '20260131') }, shown: '20260131' },
    { type: 'UIDREF', value: { '0040A124': of('UI', '1.2.3') }, shown: '1.2.3' },
    { type: 'PNAME', value: { '0040A123': of('PN', { Alphabetic: 'A^B' }) }, shown: 'A^B' },
    {
      type: 'NUM',
      value: {
        '0040A300': of('SQ', {
          '0040A30A': of('DS', 4.5),
          '004008EA': code('mm'),
        } as DataSet),
      },
      shown: '4.5 mm',
    },
    {
      type: 'IMAGE',
      value: {
        '00081199': of('SQ', {
          '00081155': of('UI', '1.2'),
          '00081160': of('IS', 3, 4),
        } as DataSet),
      },
      shown: '1.2, frames 3, 4',
    },
    {
      type: 'SCOORD',
      value: { '00700023': of('CS', 'POINT'), '00700022': of('FL', 1, 2) },
      shown: 'POINT 1 2',
    },
  ])('tells the value of $type', ({ type, value, shown }) => {
    expect(page(item(type, 'Name', value))).toContain(
      `<li><b>Name</b>: <span class="v">${shown}</span></li>`,
    );
  });

  it('nests what is nested, and points to items that are referred to', () => {
    const inner = item('TEXT', 'Inner', { '0040A160': of('UT', 'deep') });
    const outer = item('CONTAINER', 'Outer', { '0040A730': of('SQ', inner) });
    const byReference = { '0040DB73': of('UL', 1, 2) } as DataSet;
    expect(page(outer, byReference)).toContain(
      '<ul><li><b>Outer</b><ul><li><b>Inner</b>: <span class="v">deep</span></li></ul></li>\n' +
        '<li>See item 1.2</li></ul>',
    );
  });

  it('escapes whatever comes from the file', () => {
    const nasty = `<script>"'&`;
    const html = reportPage({
      ...item('CONTAINER', nasty, {
        '0040A730': of(
          'SQ',
          item(nasty, '', {}),
          item('TEXT', nasty, { '0040A160': of('UT', nasty) }),
        ),
      }),
      '00100010': of('PN', { Alphabetic: nasty }),
    } as DataSet);
    expect(html).not.toContain('<script');
    expect(html.split('&lt;script&gt;&quot;&#39;&amp;').length - 1).toBe(6);
  });

  it('ends in trees that are too deep or too wide', () => {
    let deep = item('TEXT', 'End', {});
    for (let level = 0; level < 100; level++) {
      deep = item('CONTAINER', 'Level', { '0040A730': of('SQ', deep) });
    }
    expect(page(deep)).toContain('Deeper content is left out.');
    const wide = Array.from({ length: 20_001 }, () => item('TEXT', 'x', {}));
    expect(page(...wide)).toContain('Further content is left out.');
  });
});
