/**
 * THE table of roles: what each value of the `roles` claim (app roles of Entra ID, for users and
 * daemons) or of the `scp` claim (delegated scopes) lets its bearer do. Code, tests, documents and
 * the app registration are made from it.
 */

/**
 * What a caller may do with the data of a partition; `share` lets others read by link, `admin` is also about
 * the service itself.
 */
export type Permission = 'read' | 'write' | 'delete' | 'share' | 'admin';

export const permissions: readonly Permission[] = ['read', 'write', 'delete', 'share', 'admin'];

/** One app role as an app registration declares it. */
export interface AppRole {
  /** Its value in tokens. */
  readonly value: string;
  readonly displayName: string;
  readonly description: string;
  readonly permissions: readonly Permission[];
  /** Who may be given it. */
  readonly members: readonly ('User' | 'Application')[];
  /** Whether `{value}.{partition}` gives its permissions within one data partition. */
  readonly perPartition: boolean;
}

const everyone = ['User', 'Application'] as const;

// prettier-ignore
export const appRoles: readonly AppRole[] = [
  { value: 'Dicom.Read',      displayName: 'DICOM read',        description: 'Search, retrieve and follow changes.',           permissions: ['read'],   members: everyone, perPartition: true },
  { value: 'Dicom.Write',     displayName: 'DICOM write',       description: 'Store and replace instances.',                   permissions: ['write'],  members: everyone, perPartition: true },
  { value: 'Dicom.Delete',    displayName: 'DICOM delete',      description: 'Delete studies, series and instances.',          permissions: ['delete'], members: everyone, perPartition: true },
  // Who shares must be able to read: nobody gives away what they do not see.
  { value: 'Dicom.Share',     displayName: 'DICOM share',       description: 'Search, retrieve, and share by link.',           permissions: ['read', 'share'], members: everyone, perPartition: true },
  { value: 'Dicom.Admin',     displayName: 'DICOM admin',       description: 'Everything, and the settings of the archive.',   permissions,             members: everyone, perPartition: true },
  { value: 'DICOMDataReader', displayName: 'DICOM Data Reader', description: 'As the Azure role of that name: search and retrieve.', permissions: ['read'], members: everyone, perPartition: false },
  { value: 'DICOMDataOwner',  displayName: 'DICOM Data Owner',  description: 'As the Azure role of that name: everything.',    permissions,             members: everyone, perPartition: false },
  { value: 'globalReader',    displayName: 'Global reader',     description: 'As in the Microsoft server: search and retrieve.', permissions: ['read'], members: everyone, perPartition: false },
  { value: 'globalAdmin',     displayName: 'Global admin',      description: 'As in the Microsoft server: everything.',        permissions,             members: everyone, perPartition: false },
];

/** The narrowest role that gives a permission: what a caller who lacks it is told to ask for. */
export const roleFor: Readonly<Record<Permission, string>> = {
  read: 'Dicom.Read',
  write: 'Dicom.Write',
  delete: 'Dicom.Delete',
  share: 'Dicom.Share',
  admin: 'Dicom.Admin',
};

/** Where a permission holds: everywhere, or in the partitions that were named. */
export type Reach = 'everywhere' | ReadonlySet<string>;

/** What a caller may do, and where; a permission that is not there is not given. */
export type Grants = ReadonlyMap<Permission, Reach>;

/** Every permission, everywhere. */
export const allGrants: Grants = new Map(
  permissions.map((permission) => [permission, 'everywhere']),
);

interface Grant {
  readonly permissions: readonly Permission[];
  /** One partition, or everywhere when left out. */
  readonly partition?: string;
}

/** What one role or scope gives; nothing when the table does not have it. */
function grantOf(value: string): Grant | undefined {
  // Values of app roles cannot hold spaces; other issuers spell `DICOM Data Reader` as Azure does.
  const name = value.replaceAll(' ', '');
  const whole = appRoles.find((role) => role.value === name);
  if (whole !== undefined) return { permissions: whole.permissions };
  const role = appRoles.find((each) => each.perPartition && name.startsWith(`${each.value}.`));
  if (role === undefined) return undefined;
  const partition = name.slice(role.value.length + 1);
  return partition === '' ? undefined : { permissions: role.permissions, partition };
}

function union(one: Reach | undefined, other: Reach): Reach {
  if (one === undefined) return other;
  return one === 'everywhere' || other === 'everywhere'
    ? 'everywhere'
    : new Set([...one, ...other]);
}

function intersection(one: Reach, other: Reach): Reach {
  if (one === 'everywhere') return other;
  if (other === 'everywhere') return one;
  return new Set([...one].filter((partition) => other.has(partition)));
}

function grantsOfValues(values: readonly string[]): Grants {
  const grants = new Map<Permission, Reach>();
  for (const { permissions: given, partition } of values
    .map(grantOf)
    .filter((g) => g !== undefined)) {
    const reach = partition === undefined ? 'everywhere' : new Set([partition]);
    for (const permission of given) grants.set(permission, union(grants.get(permission), reach));
  }
  return grants;
}

/**
 * What roles and delegated scopes give together. A token with both was given to an app that acts for
 * a user: it may do what the user may and the app was let do. Scopes that the table does not have,
 * such as `user_impersonation`, limit nothing and give nothing.
 */
export function grantsOf(roles: readonly string[], scopes: readonly string[]): Grants {
  const ofRoles = grantsOfValues(roles);
  const ofScopes = grantsOfValues(scopes);
  if (ofScopes.size === 0) return ofRoles;
  if (ofRoles.size === 0) return ofScopes;
  const both = new Map<Permission, Reach>();
  for (const [permission, reach] of ofRoles) {
    const limit = ofScopes.get(permission);
    if (limit !== undefined) both.set(permission, intersection(reach, limit));
  }
  return both;
}

/** Whether there is a place where a permission holds. */
export function isSomewhere(reach: Reach): boolean {
  return reach === 'everywhere' || reach.size > 0;
}

/** Whether a permission holds in a partition; `undefined` asks for all partitions at once. */
export function reaches(reach: Reach, partition: string | undefined): boolean {
  return reach === 'everywhere' || (partition !== undefined && reach.has(partition));
}

/** Whether grants hold in a partition; `undefined` asks for all partitions at once. */
export function isGranted(
  grants: Grants,
  permission: Permission,
  partition: string | undefined,
): boolean {
  const reach = grants.get(permission);
  return reach !== undefined && reaches(reach, partition);
}
