/**
 * Stands in for the types of the Graph extension, which come from a registry: the resources of
 * modules/app-registration.bicep with those properties that it uses. With it the templates are built and
 * evaluated whole, wherever that is. The format is that of `bicep publish-extension`.
 */

type Shape =
  'text' | 'truth' | 'number' | readonly Shape[] | { readonly [property: string]: Shape };

/** By resource type. A name that ends in `!` must be given, one in `-` is read-only. */
const resources: Readonly<Record<string, { readonly [property: string]: Shape }>> = {
  'Microsoft.Graph/applications@v1.0': {
    'uniqueName!': 'text',
    'displayName!': 'text',
    'appId-': 'text',
    'id-': 'text',
    signInAudience: 'text',
    identifierUris: ['text'],
    appRoles: [
      {
        id: 'text',
        value: 'text',
        displayName: 'text',
        description: 'text',
        allowedMemberTypes: ['text'],
        isEnabled: 'truth',
      },
    ],
    api: {
      requestedAccessTokenVersion: 'number',
      oauth2PermissionScopes: [
        {
          id: 'text',
          value: 'text',
          type: 'text',
          adminConsentDisplayName: 'text',
          adminConsentDescription: 'text',
          userConsentDisplayName: 'text',
          userConsentDescription: 'text',
          isEnabled: 'truth',
        },
      ],
      preAuthorizedApplications: [{ appId: 'text', delegatedPermissionIds: ['text'] }],
    },
    spa: { redirectUris: ['text'] },
  },
  'Microsoft.Graph/servicePrincipals@v1.0': {
    'appId!': 'text',
    'id-': 'text',
    appRoleAssignmentRequired: 'truth',
  },
  'Microsoft.Graph/appRoleAssignedTo@v1.0': {
    'appRoleId!': 'text',
    'principalId!': 'text',
    'resourceId!': 'text',
  },
};

const flag = { required: 1, readOnly: 2, identifier: 16 };
const simple = { text: 'StringType', truth: 'BooleanType', number: 'IntegerType' } as const;

/** The files of the extension: its index, and the types that the index refers to. */
export function graphTypes(): { readonly 'index.json': string; readonly 'types.json': string } {
  const types: object[] = [];
  const add = (type: object) => ({ $ref: `#/${types.push(type) - 1}` });

  function object(name: string, shape: { readonly [property: string]: Shape }): { $ref: string } {
    const properties = Object.entries(shape).map(([key, of]) => {
      const property = key.replace(/[!-]$/, '');
      const flags =
        (key.endsWith('!') ? flag.required : 0) +
        (key.endsWith('-') ? flag.readOnly : 0) +
        (property === 'uniqueName' ? flag.identifier : 0);
      return [property, { type: typeOf(`${name}.${property}`, of), flags }];
    });
    return add({ $type: 'ObjectType', name, properties: Object.fromEntries(properties) as object });
  }

  function typeOf(name: string, shape: Shape): { $ref: string } {
    if (typeof shape === 'string') return add({ $type: simple[shape] });
    if (!isList(shape)) return object(name, shape);
    const [item = 'text'] = shape;
    return add({ $type: 'ArrayType', itemType: typeOf(name, item) });
  }

  const references = Object.entries(resources).map(([name, shape]) => {
    const body = object(name, shape);
    const { $ref } = add({
      $type: 'ResourceType',
      name,
      body,
      readableScopes: 0,
      writableScopes: 0,
    });
    return [name, { $ref: `types.json${$ref}` }];
  });
  const settings = { name: 'MicrosoftGraph', version: '1.0.0', isSingleton: true };
  const index = {
    resources: Object.fromEntries(references) as object,
    resourceFunctions: {},
    settings,
  };
  return { 'index.json': JSON.stringify(index), 'types.json': JSON.stringify(types) };
}

function isList(shape: Shape): shape is readonly Shape[] {
  return Array.isArray(shape);
}
