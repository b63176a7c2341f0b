// The service in a resource group that exists, with an app registration that exists. It needs neither
// Microsoft Graph nor a registry: `az deployment group create --template-file infra/service.bicep`.
targetScope = 'resourceGroup'

import { furtherSettings } from 'settings.bicep'

@description('Region of everything.')
param location string = resourceGroup().location

@description('Tags of everything.')
param tags object = {}

@description('What makes names unique.')
@minLength(3)
@maxLength(16)
param token string = toLower(uniqueString(resourceGroup().id, location))

@description('Tenant whose tokens are taken.')
param authTenantId string = tenant().tenantId

@description('Audiences that tokens may have, separated by commas.')
@minLength(1)
param authAudience string

@description('Client id of the app registration. Empty: the first audience.')
param authClientId string = ''

@description('Issuer of tokens, for other clouds. Empty: that of the tenant.')
param authIssuer string = ''

@description('Origins of web pages that may use the service, separated by commas, or *. Empty: none.')
param allowedOrigins string = ''

@description('URL under which clients reach the service, when it is not that of the function app.')
param publicUrl string = ''

@description('Whether data partitions may be addressed.')
param partitionsEnabled bool = false

@description('Whether imported files stay in the container import.')
param importKeepsFiles bool = false

@description('Bytes of one request body. 0: as many as fit into the memory of an instance.')
@minValue(0)
param maxRequestBytes int = 0

@description('Further settings of docs/configuration.md, by name.')
param moreSettings furtherSettings = {}

@description('Memory of an instance, in MB.')
@allowed([2048, 4096])
param instanceMemoryMB int = 4096

@description('How many instances there may be.')
param maximumInstanceCount int = 40

@description('Requests that an instance serves at the same time before another is started.')
param requestsPerInstance int = 8

@description('Instances that wait for requests, against cold starts.')
param alwaysReadyInstances int = 0

@description('Whether instances and storage are spread over zones.')
param zoneRedundant bool = false

@description('Version of Node. Empty: that of settings.bicep.')
@allowed(['', '22', '24'])
param nodeVersion string = ''

@description('Redundancy of the data account. Empty: ZRS with zones, LRS without.')
@allowed(['', 'LRS', 'ZRS', 'GRS', 'RAGRS', 'GZRS', 'RAGZRS'])
param dataRedundancy string = ''

@description('For how many days deleted blobs and containers can be brought back; 0 for never.')
param softDeleteDays int = 30

@description('Whether former versions of blobs are kept.')
param versioning bool = true

@description('After how many days former versions are removed; 0 for never.')
param versionDays int = 30

@description('Over how many days the blobs can be put back to a point in time; 0 for none.')
@minValue(0)
@maxValue(364)
param pointInTimeDays int = 0

@description('Whether the data account is locked against being deleted.')
param deleteLock bool = false

@description('After how many days instances move to the cool tier; 0 for never.')
param coolAfterDays int = 0

@description('After how many days instances move to the cold tier; 0 for never.')
param coldAfterDays int = 0

@description('Whether storage is reached by private endpoints only.')
param vnetEnabled bool = false

@description('Whether App Service authentication stands in front of the service.')
param platformAuth bool = false

@description('Addresses of the virtual network, at least a /24.')
param vnetAddressPrefix string = '10.20.0.0/24'

@description('For how many days logs are kept.')
param logDays int = 90

@description('Which calls to blobs are logged, with their URLs: none, changes, or all.')
@allowed(['none', 'changes', 'all'])
param blobAudit string = 'none'

@description('Who is told of alerts, separated by commas.')
param alertEmails string = ''

@description('Alert when more than this share of requests is answered 5xx.')
param failedPercent int = 5

@description('Alert when the 95th percentile of searches and metadata takes longer.')
param slowMilliseconds int = 5000

var zones = zoneRedundant ? 'ZRS' : 'LRS'
var packageContainer = 'app-package'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-dicomweb-${token}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    location: location
    tags: tags
    token: token
    logDays: logDays
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  params: {
    location: location
    tags: tags
    name: 'sthost${token}'
    redundancy: zones
    packageContainer: packageContainer
    privateOnly: vnetEnabled
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  name: 'data-storage'
  params: {
    location: location
    tags: tags
    name: 'stdicom${token}'
    redundancy: empty(dataRedundancy) ? zones : dataRedundancy
    privateOnly: vnetEnabled
    softDeleteDays: softDeleteDays
    versioning: versioning
    versionDays: versionDays
    pointInTimeDays: pointInTimeDays
    deleteLock: deleteLock
    allowedOrigins: allowedOrigins
    coolAfterDays: coolAfterDays
    coldAfterDays: coldAfterDays
    workspaceId: monitoring.outputs.workspaceId
    blobAudit: blobAudit
  }
}

module network 'modules/network.bicep' = if (vnetEnabled) {
  name: 'network'
  params: {
    location: location
    tags: tags
    token: token
    addressPrefix: vnetAddressPrefix
    hostAccountName: hostStorage.outputs.name
    dataAccountName: dataStorage.outputs.name
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.properties.principalId
    hostAccountName: hostStorage.outputs.name
    dataAccountName: dataStorage.outputs.name
    insightsName: monitoring.outputs.insightsName
  }
}

module importEvents 'modules/import-events.bicep' = {
  name: 'import-events'
  params: {
    location: location
    tags: tags
    token: token
    dataAccountName: dataStorage.outputs.name
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    location: location
    tags: tags
    token: token
    identityId: identity.id
    identityClientId: identity.properties.clientId
    subnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    hostBlobEndpoint: hostStorage.outputs.blobEndpoint
    packageContainer: packageContainer
    blobEndpoint: dataStorage.outputs.blobEndpoint
    tableEndpoint: dataStorage.outputs.tableEndpoint
    queueEndpoint: dataStorage.outputs.queueEndpoint
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    workspaceId: monitoring.outputs.workspaceId
    authTenantId: authTenantId
    authClientId: authClientId
    authAudience: authAudience
    authIssuer: authIssuer
    allowedOrigins: allowedOrigins
    publicUrl: publicUrl
    platformAuth: platformAuth
    partitionsEnabled: partitionsEnabled
    importKeepsFiles: importKeepsFiles
    maxRequestBytes: maxRequestBytes
    moreSettings: moreSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    requestsPerInstance: requestsPerInstance
    alwaysReadyInstances: alwaysReadyInstances
    zoneRedundant: zoneRedundant
    nodeVersion: nodeVersion
  }
  // The app starts as soon as it is there, and then needs its storage.
  dependsOn: [roles]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    dataAccountId: dataStorage.outputs.id
    emails: empty(alertEmails) ? [] : split(alertEmails, ',')
    failedPercent: failedPercent
    slowMilliseconds: slowMilliseconds
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

output functionAppName string = functionApp.outputs.name
output url string = empty(publicUrl) ? functionApp.outputs.url : publicUrl
output dataAccountName string = dataStorage.outputs.name
output blobEndpoint string = dataStorage.outputs.blobEndpoint
output tableEndpoint string = dataStorage.outputs.tableEndpoint
output queueEndpoint string = dataStorage.outputs.queueEndpoint
