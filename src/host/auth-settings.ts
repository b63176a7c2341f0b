/** How callers prove who they are, from the settings; whatever is unclear stops the start. */
import type { TokenRules } from '../auth/access-token.js';
import { isTrustworthy } from '../auth/signing-keys.js';
import { SettingError } from './settings.js';

export type AuthSettings =
  /** Nothing is set: the Functions host is locked, the local server open to its own machine. */
  | { readonly kind: 'unset' }
  /** `DICOM_AUTH_MODE=none`: everyone may do everything. */
  | { readonly kind: 'none' }
  | ({ readonly kind: 'tokens' } & TokenRules);

interface Values {
  readonly authMode: 'none' | undefined;
  readonly authTenantId: string | undefined;
  readonly authAudience: readonly string[] | undefined;
  readonly authIssuer: string | undefined;
  readonly host: string;
}

/**
 * Each is set in some plan or other of Azure Functions and Container Apps; Flex Consumption and Linux
 * Consumption do not have the first.
 */
const azureMarks = [
  'WEBSITE_INSTANCE_ID',
  'WEBSITE_SKU',
  'WEBSITE_POD_NAME',
  'WEBSITE_HOME_STAMPNAME',
  'LEGION_SERVICE_HOST',
  'WEBSITE_SITE_NAME',
  'CONTAINER_APP_NAME',
  'IDENTITY_ENDPOINT',
];

type Environment = Readonly<Record<string, string | undefined>>;

function isSet(environment: Environment, name: string): boolean {
  return (environment[name] ?? '') !== '';
}

/** Whether the process could run where others reach it: only Core Tools run functions elsewhere. */
function mayBeAzure(environment: Environment): boolean {
  if (azureMarks.some((name) => isSet(environment, name))) return true;
  return (
    isSet(environment, 'FUNCTIONS_WORKER_RUNTIME') &&
    environment['FUNCTIONS_CORETOOLS_ENVIRONMENT']?.toLowerCase() !== 'true'
  );
}

function tokenRules({ authTenantId, authAudience, authIssuer }: Values): TokenRules | undefined {
  if (authTenantId === undefined && authAudience === undefined && authIssuer === undefined) {
    return undefined;
  }
  if (authTenantId === undefined || authAudience === undefined) {
    throw new SettingError(
      'The settings DICOM_AUTH_TENANT_ID and DICOM_AUTH_AUDIENCE must be given together.',
    );
  }
  const issuer = authIssuer ?? `https://login.microsoftonline.com/${authTenantId}/v2.0`;
  if (!isTrustworthy(issuer)) {
    throw new SettingError(
      'The setting DICOM_AUTH_ISSUER must be an https URL; plain http is for this machine only.',
    );
  }
  return { tenantId: authTenantId, audiences: authAudience, issuer };
}

/**
 * Reads how callers are authenticated.
 *
 * @throws SettingError when settings contradict each other, or would open the service to others.
 */
export function readAuthSettings(values: Values, environment: Environment): AuthSettings {
  const rules = tokenRules(values);
  if (values.authMode === undefined) {
    return rules === undefined ? { kind: 'unset' } : { kind: 'tokens', ...rules };
  }
  if (mayBeAzure(environment)) {
    throw new SettingError('The setting DICOM_AUTH_MODE must not be none in Azure.');
  }
  if (rules !== undefined) {
    throw new SettingError(
      'The setting DICOM_AUTH_MODE must not be none where DICOM_AUTH_TENANT_ID asks for tokens.',
    );
  }
  return { kind: 'none' };
}
