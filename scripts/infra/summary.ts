/** What an evaluated deployment consists of, a line per resource: for people to read in a diff. */

interface Resource {
  readonly id?: string;
  readonly type: string;
  /** Resources of extensions have none. */
  readonly name?: string;
  readonly kind?: string;
  readonly sku?: { readonly name?: string };
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Ids of Azure's built-in roles that templates may assign. */
export const builtInRoles: Readonly<Record<string, string>> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': 'Storage Blob Data Owner',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': 'Storage Blob Data Contributor',
  'db58b8e5-c6ad-4a2a-8342-4190687cbf4a': 'Storage Blob Delegator',
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': 'Storage Table Data Contributor',
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': 'Storage Queue Data Contributor',
  'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a': 'Storage Queue Data Message Sender',
  '3913510d-42f4-4e42-8a64-420c390055eb': 'Monitoring Metrics Publisher',
};

/** Properties that a summary shows, by type: those that open or close something, or cost. */
const shown: Readonly<Record<string, readonly string[]>> = {
  'Microsoft.Storage/storageAccounts': [
    'publicNetworkAccess',
    'allowSharedKeyAccess',
    'allowBlobPublicAccess',
    'networkAcls.defaultAction',
  ],
  'Microsoft.Storage/storageAccounts/blobServices': [
    'deleteRetentionPolicy.days',
    'containerDeleteRetentionPolicy.days',
    'isVersioningEnabled',
    'restorePolicy.days',
    'cors.corsRules',
  ],
  'Microsoft.Web/sites': [
    'httpsOnly',
    'functionAppConfig.runtime.version',
    'functionAppConfig.scaleAndConcurrency.instanceMemoryMB',
    'functionAppConfig.scaleAndConcurrency.maximumInstanceCount',
    'functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency',
  ],
  'Microsoft.Authorization/locks': ['level'],
  'Microsoft.Insights/diagnosticSettings': ['logs'],
};

/** Rules of CORS. */
function isRules(
  value: unknown,
): value is readonly { allowedMethods: readonly string[]; allowedOrigins: readonly string[] }[] {
  return (
    Array.isArray(value) &&
    value.every(
      (rule: unknown) => typeof rule === 'object' && rule !== null && 'allowedMethods' in rule,
    )
  );
}

/** A value on one line: of a list of logs those that are on, of an expression the names in it. */
function short(value: unknown): string {
  if (isRules(value)) {
    return value
      .map((rule) => `${rule.allowedMethods.join('+')} from ${rule.allowedOrigins.join(', ')}`)
      .join('; ');
  }
  if (Array.isArray(value)) {
    const on = value.filter((log: { readonly enabled?: unknown }) => log.enabled === true);
    return on.map((log: { readonly category?: unknown }) => String(log.category)).join('+');
  }
  return String(value)
    .replaceAll(/reference\('(?:[^']*\/)?([^'/]+)'(?:, '[^']*')?\)/g, '$1')
    .replaceAll(/'[^']*\/([^/']+)'/g, "'$1'")
    .replace(/^\[string\((.*)\)\]$/, '[$1]');
}

function at(value: unknown, path: string): unknown {
  let current = value;
  for (const name of path.split('.')) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Readonly<Record<string, unknown>>)[name];
  }
  return current;
}

/** `type/name` of what a resource is an extension of, from its id or the expression for that. */
function extended(id: string): string | undefined {
  const [, scope] =
    /^\[extensionResourceId\('([^']*)'/.exec(id) ??
    /^(.*\/providers\/.*)\/providers\/[^/]+\/[^/]+\/[^/]+$/.exec(id) ??
    [];
  return scope?.replace(/^.*\/providers\//, '');
}

function lineOf({ id, type, name, kind, sku, properties }: Resource): string {
  const on = extended(id ?? '');
  if (type === 'Microsoft.Authorization/roleAssignments') {
    const definition = String(properties?.['roleDefinitionId']);
    const role = builtInRoles[definition.replace(/^.*\//, '')] ?? definition;
    return `role  ${role}  of ${short(properties?.['principalId'])}  on ${on ?? 'unknown'}`;
  }
  const settings = (shown[type] ?? [])
    .map((path) => [path, at(properties, path)] as const)
    .filter(([, value]) => value !== undefined)
    .map(([path, value]) => `${path}=${short(value)}`);
  return [
    `${type}  ${name ?? short(properties?.['displayName'] ?? properties?.['appId'] ?? '')}`,
    ...(kind === undefined ? [] : [`kind=${kind}`]),
    ...(sku?.name === undefined ? [] : [`sku=${sku.name}`]),
    ...(on === undefined ? [] : [`on ${on}`]),
    ...settings,
  ].join('  ');
}

/** Names of the app settings of a function app, with the value of those that are plain. */
function appSettings({ properties }: Resource): readonly string[] {
  const list = at(properties, 'siteConfig.appSettings');
  if (!Array.isArray(list)) return [];
  return (list as readonly { readonly name: string; readonly value: string }[]).map(
    ({ name, value }) => `  setting  ${name}=${short(value)}`,
  );
}

/**
 * The summary of a snapshot of `bicep snapshot`: a line per resource, sorted, and per app setting.
 *
 * @throws SyntaxError when the text is no snapshot.
 */
export function summarize(snapshot: string): string {
  const { predictedResources } = JSON.parse(snapshot) as {
    readonly predictedResources: readonly Resource[];
  };
  const lines = predictedResources.map((resource) =>
    [lineOf(resource), ...appSettings(resource)].join('\n'),
  );
  return `${[...lines].sort().join('\n')}\n`;
}
