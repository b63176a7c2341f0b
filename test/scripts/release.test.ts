import { describe, expect, it } from '@jest/globals';
import { faultsOfRelease, sectionsOf, type Release } from '../../scripts/release/check-release.js';

const changelog = `# Changelog

## [Unreleased]

## [0.2.0] - 2026-11-29

### Added

- A page.

## [0.1.0] - 2026-10-01

- Everything.
`;
const good: Release = {
  version: '0.2.0',
  lockedVersions: ['0.2.0', '0.2.0'],
  templateVersion: '0.2.0',
  changelog,
};

describe('sectionsOf', () => {
  it('takes a changelog apart', () => {
    expect(sectionsOf(changelog)).toEqual([
      { version: 'Unreleased', date: undefined, text: '' },
      { version: '0.2.0', date: '2026-11-29', text: '### Added\n\n- A page.' },
      { version: '0.1.0', date: '2026-10-01', text: '- Everything.' },
    ]);
  });
});

describe('faultsOfRelease', () => {
  it('lets a version pass that everything agrees on', () => {
    expect(faultsOfRelease(good)).toEqual([]);
    expect(faultsOfRelease({ ...good, tag: 'v0.2.0' })).toEqual([]);
  });

  it.each<[string, Partial<Release>]>([
    ['package-lock.json has version 0.1.0, not 0.2.0', { lockedVersions: ['0.2.0', '0.1.0'] }],
    ['azure.yaml has version 0.1.0, not 0.2.0', { templateVersion: '0.1.0' }],
    ['the tag is v0.3.0, not v0.2.0', { tag: 'v0.3.0' }],
    [
      'CHANGELOG.md: what is under [Unreleased] belongs under the version',
      { changelog: changelog.replace('[Unreleased]\n', '[Unreleased]\n\n- More.\n') },
    ],
    [
      'CHANGELOG.md has no section [0.2.0] below [Unreleased]',
      { changelog: changelog.replace('[0.2.0]', '[0.2.1]') },
    ],
    ['CHANGELOG.md: [0.2.0] has no date', { changelog: changelog.replace(' - 2026-11-29', '') }],
    [
      'CHANGELOG.md: [0.2.0] says nothing',
      { changelog: changelog.replace('### Added\n\n- A page.', '') },
    ],
    [
      'CHANGELOG.md does not begin with the section [Unreleased]',
      { changelog: changelog.replace('## [Unreleased]\n', '') },
    ],
  ])('finds: %s', (fault, change) => {
    expect(faultsOfRelease({ ...good, ...change })).toContain(fault);
  });

  it('finds a version that is none', () => {
    expect(faultsOfRelease({ ...good, version: '0.2' })[0]).toBe(
      'package.json: 0.2 is no version of three numbers',
    );
  });
});
