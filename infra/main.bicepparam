// The parameters, each from a variable of the azd environment: azd env set NAME value.
// docs/deploy.md says what they mean.
using './main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dicomweb')
param location = readEnvironmentVariable('AZURE_LOCATION', 'northeurope')
param principalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')

// Sign-in
param authClientId = readEnvironmentVariable('DICOM_AUTH_CLIENT_ID', '')
param authAudience = readEnvironmentVariable('DICOM_AUTH_AUDIENCE', '')
param authTenantId = readEnvironmentVariable('DICOM_AUTH_TENANT_ID', '')
param authIssuer = readEnvironmentVariable('DICOM_AUTH_ISSUER', '')
param viewerRedirectUris = readEnvironmentVariable('DICOM_VIEWER_REDIRECT_URIS', '')

// The service
param allowedOrigins = readEnvironmentVariable('DICOMWEB_ALLOWED_ORIGINS', '')
param publicUrl = readEnvironmentVariable('DICOMWEB_PUBLIC_URL', '')
param dataPartitions = readEnvironmentVariable('DICOM_DATA_PARTITIONS', '')
param importKeepsFiles = bool(readEnvironmentVariable('DICOMWEB_IMPORT_KEEP_FILES', 'false'))
param maxRequestBytes = int(readEnvironmentVariable('DICOMWEB_MAX_REQUEST_BYTES', '4294967296'))
param moreSettings = json(readEnvironmentVariable('DICOM_MORE_SETTINGS', '{}'))

// Scale
param instanceMemoryMB = int(readEnvironmentVariable('DICOM_INSTANCE_MEMORY_MB', '2048'))
param maximumInstanceCount = int(readEnvironmentVariable('DICOM_MAXIMUM_INSTANCES', '100'))
param requestsPerInstance = int(readEnvironmentVariable('DICOM_REQUESTS_PER_INSTANCE', '16'))
param alwaysReadyInstances = int(readEnvironmentVariable('DICOM_ALWAYS_READY', '0'))
param zoneRedundant = bool(readEnvironmentVariable('DICOM_ZONE_REDUNDANT', 'false'))
param nodeVersion = readEnvironmentVariable('DICOM_NODE_VERSION', '22')

// Data
param dataRedundancy = readEnvironmentVariable('DICOM_REDUNDANCY', '')
param softDeleteDays = int(readEnvironmentVariable('DICOM_SOFT_DELETE_DAYS', '30'))
param versioning = bool(readEnvironmentVariable('DICOM_VERSIONING', 'true'))
param versionDays = int(readEnvironmentVariable('DICOM_VERSION_DAYS', '30'))
param coolAfterDays = int(readEnvironmentVariable('DICOM_COOL_AFTER_DAYS', '0'))
param coldAfterDays = int(readEnvironmentVariable('DICOM_COLD_AFTER_DAYS', '0'))

// Network
param vnetEnabled = bool(readEnvironmentVariable('DICOM_VNET', 'false'))
param vnetAddressPrefix = readEnvironmentVariable('DICOM_VNET_PREFIX', '10.20.0.0/24')

// Monitoring
param logDays = int(readEnvironmentVariable('DICOM_LOG_DAYS', '90'))
param auditReads = bool(readEnvironmentVariable('DICOM_AUDIT_READS', 'true'))
param alertEmails = readEnvironmentVariable('DICOM_ALERT_EMAILS', '')
param failedPercent = int(readEnvironmentVariable('DICOM_ALERT_FAILED_PERCENT', '5'))
param slowMilliseconds = int(readEnvironmentVariable('DICOM_ALERT_SLOW_MS', '5000'))
