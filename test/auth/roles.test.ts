import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { appRoles, grantsOf, isGranted, permissions, roleFor } from '../../src/auth/roles.js';
import type { Route } from '../../src/dicomweb/route.js';
import { routes } from '../../src/dicomweb/routes.js';
import { authorize } from '../../src/host/pipeline/authenticator.js';
import { tableRows } from '../docs/markdown.js';

const partition = 'Microsoft.Default';

/** What a caller with these roles is told at the door of a route. */
function refusalOf(roles: readonly string[], route: Route, at: string = partition): unknown {
  try {
    authorize({ grants: grantsOf(roles, []) }, route, at);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('appRoles', () => {
  it('can be declared in Entra ID', () => {
    const values = appRoles.map(({ value }) => value);
    expect(new Set(values).size).toBe(values.length);
    for (const { value, displayName, description, members } of appRoles) {
      expect(value).toMatch(/^[A-Za-z.]{1,120}$/);
      expect(displayName).not.toBe('');
      expect(description).toMatch(/\.$/);
      expect(members).toEqual(['User', 'Application']);
    }
  });

  it('are those of docs/security.md', () => {
    const columns = ['Role', 'Name in Entra ID', 'Permissions', 'Per partition'];
    expect(tableRows('docs/security.md', columns)).toEqual(
      appRoles.map(({ value, displayName, permissions: given, perPartition }) => [
        value,
        displayName,
        given.join(', '),
        perPartition ? 'yes' : '–',
      ]),
    );
  });

  it('have a narrowest one for each permission', () => {
    for (const permission of permissions) {
      const holders = appRoles.filter((role) => role.permissions.includes(permission));
      const fewest = Math.min(...holders.map((role) => role.permissions.length));
      const narrowest = holders.find(({ value }) => value === roleFor[permission]);
      expect(narrowest?.permissions).toHaveLength(fewest);
    }
  });
});

describe.each(appRoles)('the role $value', ({ value, permissions: given, perPartition }) => {
  const table = Object.values<Route>(routes).map((route) => [route.name, route] as const);

  it.each(table)('at the door of %s', (_, route) => {
    const { permission } = route;
    const allowed = permission === 'anonymous' || given.includes(permission);
    const refusal = refusalOf([value], route);
    if (allowed) expect(refusal).toBeUndefined();
    else {
      expect(refusal).toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining(permission),
        facts: { error: 'insufficient_scope', scope: roleFor[permission] },
      });
    }
  });

  it.each(table)('for one partition, at the door of %s', (_, route) => {
    const { permission, scope, partly = false } = route;
    const holds = perPartition && permission !== 'anonymous' && given.includes(permission);
    const open = permission === 'anonymous';
    const own = refusalOf([`${value}.north`], route, 'north');
    expect(own === undefined).toBe(open || (holds && (scope === undefined || partly)));
    // Who is let in partly is shown what is theirs, whatever partition is named.
    expect(refusalOf([`${value}.north`], route, 'south') === undefined).toBe(
      open || (holds && partly),
    );
  });
});

describe('grantsOf', () => {
  it('knows the roles of Azure by their names with spaces', () => {
    for (const name of ['DICOM Data Reader', 'DICOMDataReader']) {
      expect([...grantsOf([name], [])]).toEqual([['read', 'everywhere']]);
    }
    expect(isGranted(grantsOf(['DICOM Data Owner'], []), 'admin', undefined)).toBe(true);
  });

  it('adds partitions up, and everywhere is more than any', () => {
    const both = grantsOf(['Dicom.Read.a', 'Dicom.Read.b', 'Dicom.Write.a'], []);
    expect(both).toEqual(
      new Map([
        ['read', new Set(['a', 'b'])],
        ['write', new Set(['a'])],
      ]),
    );
    expect(grantsOf(['Dicom.Read.a', 'Dicom.Read'], []).get('read')).toBe('everywhere');
    expect(grantsOf(['Dicom.Read', 'Dicom.Read.a'], []).get('read')).toBe('everywhere');
  });

  it('lets an app that acts for a user do what both may', () => {
    const granted = (roles: string[], scopes: string[]) => [...grantsOf(roles, scopes)];
    expect(granted(['Dicom.Admin'], ['Dicom.Read'])).toEqual([['read', 'everywhere']]);
    expect(granted(['Dicom.Read.a'], ['Dicom.Read'])).toEqual([['read', new Set(['a'])]]);
    expect(granted(['Dicom.Read'], ['Dicom.Read.a'])).toEqual([['read', new Set(['a'])]]);
    expect(granted(['Dicom.Read.a'], ['Dicom.Read.b'])).toEqual([['read', new Set()]]);
    expect(granted(['Dicom.Read'], ['Dicom.Write'])).toEqual([]);
    expect(granted([], ['Dicom.Write'])).toEqual([['write', 'everywhere']]);
    expect(granted(['Dicom.Read'], ['user_impersonation'])).toEqual([['read', 'everywhere']]);
  });

  it('never gives more to more scopes than roles give, nor anything to unknown names', () => {
    const known = fc.constantFrom(
      ...appRoles.map(({ value }) => value),
      ...['Dicom.Read.a', 'Dicom.Admin.b', 'user_impersonation', 'Dicom.', 'dicom.read', ''],
    );
    const values = fc.array(known, { maxLength: 4 });
    fc.assert(
      fc.property(values, values, (roles, scopes) => {
        const ofRoles = grantsOf(roles, []);
        if (ofRoles.size === 0) return;
        for (const permission of permissions) {
          for (const at of ['a', 'b', 'c', undefined]) {
            if (!isGranted(grantsOf(roles, scopes), permission, at)) continue;
            expect(isGranted(ofRoles, permission, at)).toBe(true);
          }
        }
      }),
    );
    fc.assert(
      fc.property(fc.string(), (name) => {
        if (!/^(dicom|global)/i.test(name)) expect(grantsOf([name], [name]).size).toBe(0);
      }),
    );
  });
});
