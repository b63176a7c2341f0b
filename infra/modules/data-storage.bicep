// The archive: one account with the containers, tables and queues of the code, and its audit trail.
param location string
param tags object
param name string
param redundancy string
param privateOnly bool
param softDeleteDays int
param versioning bool
param versionDays int
param pointInTimeDays int
param deleteLock bool
param allowedOrigins string
param coolAfterDays int
param coldAfterDays int
param workspaceId string
param blobAudit string

var containerNames = ['instances', 'derived', 'import', 'import-reports', 'import-refused']
var tableNames = ['catalog', 'log', 'searchindex', 'searchwords', 'registry', 'operations']
// Beside each queue is where the Functions host sets its poison messages aside.
var queueNames = ['import', 'import-poison', 'jobs', 'jobs-poison']

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_${redundancy}' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateOnly ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Event Grid, which announces uploads, is one of these services.
      bypass: 'AzureServices'
      defaultAction: privateOnly ? 'Deny' : 'Allow'
    }
  }
}

// Blobs are put back from their former versions and from what was deleted, which must be there for longer.
var keepsVersions = versioning && (versionDays == 0 || versionDays > pointInTimeDays)
var restoreDays = pointInTimeDays == 0 || (keepsVersions && softDeleteDays > pointInTimeDays)
  ? pointInTimeDays
  : fail('pointInTimeDays needs versioning, and softDeleteDays and versionDays that are longer.')

// Pages of the allowed origins may write to signed URLs of direct uploads, and do nothing else.
var uploadRules = empty(allowedOrigins)
  ? []
  : [
      {
        allowedOrigins: map(split(allowedOrigins, ','), origin => trim(origin))
        allowedMethods: ['PUT']
        allowedHeaders: ['content-type', 'content-md5', 'x-ms-*']
        exposedHeaders: ['etag', 'x-ms-error-code', 'x-ms-request-id']
        maxAgeInSeconds: 3600
      }
    ]

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: versioning
    changeFeed: restoreDays > 0 ? { enabled: true, retentionInDays: restoreDays + 1 } : { enabled: false }
    restorePolicy: restoreDays > 0 ? { enabled: true, days: restoreDays } : { enabled: false }
    cors: { corsRules: uploadRules }
    deleteRetentionPolicy: softDeleteDays > 0 ? { enabled: true, days: softDeleteDays } : { enabled: false }
    containerDeleteRetentionPolicy: softDeleteDays > 0 ? { enabled: true, days: softDeleteDays } : { enabled: false }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = [
  for containerName in containerNames: {
    parent: blobs
    name: containerName
    properties: { publicAccess: 'None' }
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' = [
  for tableName in tableNames: {
    parent: tableService
    name: tableName
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [
  for queueName in queueNames: {
    parent: queueService
    name: queueName
  }
]

// Instances are written once and never changed, so that their age is the time since they were stored.
var cool = coolAfterDays > 0 ? { tierToCool: { daysAfterModificationGreaterThan: coolAfterDays } } : {}
var cold = coldAfterDays > 0 ? { tierToCold: { daysAfterModificationGreaterThan: coldAfterDays } } : {}
var tierRules = coolAfterDays > 0 || coldAfterDays > 0
  ? [
      {
        enabled: true
        name: 'move-old-instances'
        type: 'Lifecycle'
        definition: {
          actions: { baseBlob: union(cool, cold) }
          filters: { blobTypes: ['blockBlob'], prefixMatch: ['instances/'] }
        }
      }
    ]
  : []
var versionRules = versioning && versionDays > 0
  ? [
      {
        enabled: true
        name: 'remove-former-versions'
        type: 'Lifecycle'
        definition: {
          actions: { version: { delete: { daysAfterCreationGreaterThan: versionDays } } }
          filters: { blobTypes: ['blockBlob'] }
        }
      }
    ]
  : []
var rules = concat(tierRules, versionRules)

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = if (!empty(rules)) {
  parent: account
  name: 'default'
  properties: {
    policy: { rules: rules }
  }
  dependsOn: [blobs]
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (deleteLock) {
  scope: account
  name: 'keep-the-archive'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds patient data. Take the lock off before the account is to be deleted: azd env set DICOM_DELETE_LOCK false.'
  }
}

// The URLs of these calls hold the names of files that somebody uploads, which may be those of patients:
// nothing is collected unless it is asked for.
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: blobAudit == 'all' }
      { category: 'StorageWrite', enabled: blobAudit != 'none' }
      { category: 'StorageDelete', enabled: blobAudit != 'none' }
    ]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// URLs of queries hold what is sought, names of patients among it: none is ever collected (docs/decisions/0022).
resource tableMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tableService
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// The alert on poison messages reads these; the polling of the host would be the rest. URLs of queues hold
// nothing but their names.
resource queueAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queueService
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageWrite', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output tableEndpoint string = account.properties.primaryEndpoints.table
output queueEndpoint string = account.properties.primaryEndpoints.queue
