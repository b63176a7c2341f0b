// The parameters, each from a variable of the azd environment: azd env set NAME value. One that is empty
// counts as unset. docs/deploy.md says what they mean.
using './main.bicep'

import { textOr } from 'text-or.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dicomweb')
param location = readEnvironmentVariable('AZURE_LOCATION', 'northeurope')

// Sign-in
param authClientId = readEnvironmentVariable('DICOM_AUTH_CLIENT_ID', '')
param authAudience = readEnvironmentVariable('DICOM_AUTH_AUDIENCE', '')
param authTenantId = readEnvironmentVariable('DICOM_AUTH_TENANT_ID', '')
param authIssuer = readEnvironmentVariable('DICOM_AUTH_ISSUER', '')
param testerId = readEnvironmentVariable('DICOM_TESTER_ID', '')
param platformAuth = bool(textOr(readEnvironmentVariable('DICOM_PLATFORM_AUTH', ''), 'false'))
param viewerRedirectUris = readEnvironmentVariable('DICOM_VIEWER_REDIRECT_URIS', '')

// The service
param allowedOrigins = readEnvironmentVariable('DICOMWEB_ALLOWED_ORIGINS', '')
param publicUrl = readEnvironmentVariable('DICOMWEB_PUBLIC_URL', '')
param dataPartitions = readEnvironmentVariable('DICOM_DATA_PARTITIONS', '')
param importKeepsFiles = bool(textOr(readEnvironmentVariable('DICOMWEB_IMPORT_KEEP_FILES', ''), 'false'))
param maxRequestBytes = int(textOr(readEnvironmentVariable('DICOMWEB_MAX_REQUEST_BYTES', ''), '0'))
param moreSettings = json(textOr(readEnvironmentVariable('DICOM_MORE_SETTINGS', ''), '{}'))

// Scale
// any: that a value is one of those allowed is seen by Resource Manager, and not by the compiler.
param instanceMemoryMB = any(int(textOr(readEnvironmentVariable('DICOM_INSTANCE_MEMORY_MB', ''), '4096')))
param maximumInstanceCount = int(textOr(readEnvironmentVariable('DICOM_MAXIMUM_INSTANCES', ''), '40'))
param requestsPerInstance = int(textOr(readEnvironmentVariable('DICOM_REQUESTS_PER_INSTANCE', ''), '8'))
param alwaysReadyInstances = int(textOr(readEnvironmentVariable('DICOM_ALWAYS_READY', ''), '0'))
param zoneRedundant = bool(textOr(readEnvironmentVariable('DICOM_ZONE_REDUNDANT', ''), 'false'))
param nodeVersion = any(readEnvironmentVariable('DICOM_NODE_VERSION', ''))

// Data
param dataRedundancy = readEnvironmentVariable('DICOM_REDUNDANCY', '')
param softDeleteDays = int(textOr(readEnvironmentVariable('DICOM_SOFT_DELETE_DAYS', ''), '30'))
param versioning = bool(textOr(readEnvironmentVariable('DICOM_VERSIONING', ''), 'true'))
param versionDays = int(textOr(readEnvironmentVariable('DICOM_VERSION_DAYS', ''), '30'))
param pointInTimeDays = int(textOr(readEnvironmentVariable('DICOM_POINT_IN_TIME_DAYS', ''), '0'))
param deleteLock = bool(textOr(readEnvironmentVariable('DICOM_DELETE_LOCK', ''), 'false'))
param coolAfterDays = int(textOr(readEnvironmentVariable('DICOM_COOL_AFTER_DAYS', ''), '0'))
param coldAfterDays = int(textOr(readEnvironmentVariable('DICOM_COLD_AFTER_DAYS', ''), '0'))

// Network
param vnetEnabled = bool(textOr(readEnvironmentVariable('DICOM_VNET', ''), 'false'))
param vnetAddressPrefix = textOr(readEnvironmentVariable('DICOM_VNET_PREFIX', ''), '10.20.0.0/24')

// Monitoring
param logDays = int(textOr(readEnvironmentVariable('DICOM_LOG_DAYS', ''), '90'))
param blobAudit = any(textOr(readEnvironmentVariable('DICOM_BLOB_AUDIT', ''), 'none'))
param alertEmails = readEnvironmentVariable('DICOM_ALERT_EMAILS', '')
param failedPercent = int(textOr(readEnvironmentVariable('DICOM_ALERT_FAILED_PERCENT', ''), '5'))
param slowMilliseconds = int(textOr(readEnvironmentVariable('DICOM_ALERT_SLOW_MS', ''), '5000'))
