// What `azd up` deploys: a resource group, an app registration unless one is given, and the service.
// Only this file knows of Microsoft Graph; service.bicep is the service without it.
targetScope = 'subscription'

import { functionAppUrl, furtherSettings } from 'settings.bicep'

@description('Name of the azd environment: the resource group is rg-{name}.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything.')
@minLength(1)
param location string

@description('Object id of who may read, write and delete from the start. Empty: nobody may.')
param testerId string = ''

@description('Client id of an app registration that exists. Empty: one is made.')
param authClientId string = ''

@description('Audiences that tokens may have, separated by commas, for an app registration that exists. Empty: its client id.')
param authAudience string = ''

@description('Tenant whose tokens are taken. Empty: that of the subscription.')
param authTenantId string = ''

@description('Issuer of tokens, for other clouds. Empty: that of the tenant.')
param authIssuer string = ''

@description('Redirect URIs of viewers that sign users in, besides the page of the service, separated by commas.')
param viewerRedirectUris string = ''

@description('Origins of web pages that may use the service, separated by commas, or *. Empty: none.')
param allowedOrigins string = ''

@description('URL under which clients reach the service, when it is not that of the function app.')
param publicUrl string = ''

@description('Names of data partitions, separated by commas. Each gets roles of its own. Empty: partitions are off.')
param dataPartitions string = ''

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
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Requests that an instance serves at the same time before another is started.')
@minValue(1)
@maxValue(1000)
param requestsPerInstance int = 8

@description('Instances that wait for requests, against cold starts.')
@minValue(0)
@maxValue(1000)
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
@minValue(0)
@maxValue(365)
param softDeleteDays int = 30

@description('Whether former versions of blobs are kept.')
param versioning bool = true

@description('After how many days former versions are removed; 0 for never.')
@minValue(0)
param versionDays int = 30

@description('Over how many days the blobs can be put back to a point in time; 0 for none.')
@minValue(0)
@maxValue(364)
param pointInTimeDays int = 0

@description('Whether the data account is locked against being deleted.')
param deleteLock bool = false

@description('After how many days instances move to the cool tier; 0 for never.')
@minValue(0)
param coolAfterDays int = 0

@description('After how many days instances move to the cold tier; 0 for never.')
@minValue(0)
param coldAfterDays int = 0

@description('Whether storage is reached by private endpoints only.')
param vnetEnabled bool = false

@description('Whether App Service authentication stands in front of the service.')
param platformAuth bool = false

@description('Addresses of the virtual network, at least a /24.')
param vnetAddressPrefix string = '10.20.0.0/24'

@description('For how many days logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Which calls to blobs are logged, with their URLs: none, changes, or all.')
@allowed(['none', 'changes', 'all'])
param blobAudit string = 'none'

@description('Who is told of alerts, separated by commas.')
param alertEmails string = ''

@description('Alert when more than this share of requests is answered 5xx.')
@minValue(1)
@maxValue(100)
param failedPercent int = 5

@description('Alert when the 95th percentile of searches and metadata takes longer.')
@minValue(1)
param slowMilliseconds int = 5000

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))
var registers = empty(authClientId)
var tenantId = empty(authTenantId) ? tenant().tenantId : authTenantId
// Where the page of the service is, and where it comes back to after signing its user in.
var pageUrls = map(
  union([functionAppUrl(token)], empty(publicUrl) ? [] : [publicUrl]),
  url => endsWith(url, '/') ? url : '${url}/'
)
var partitions = empty(dataPartitions) ? [] : split(dataPartitions, ',')

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module registration 'modules/app-registration.bicep' = if (registers) {
  name: 'app-registration'
  scope: group
  params: {
    uniqueName: 'dicomweb-${token}'
    displayName: 'DICOMweb ${environmentName}'
    partitions: partitions
    redirectUris: union(pageUrls, empty(viewerRedirectUris) ? [] : split(viewerRedirectUris, ','))
    testerId: testerId
  }
}

var clientId = registers ? registration!.outputs.clientId : authClientId
var audience = registers ? registration!.outputs.audience : (empty(authAudience) ? authClientId : authAudience)

module service 'service.bicep' = {
  name: 'service'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    authTenantId: tenantId
    authClientId: clientId
    authAudience: audience
    authIssuer: authIssuer
    allowedOrigins: allowedOrigins
    publicUrl: publicUrl
    partitionsEnabled: !empty(partitions)
    importKeepsFiles: importKeepsFiles
    maxRequestBytes: maxRequestBytes
    moreSettings: moreSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    requestsPerInstance: requestsPerInstance
    alwaysReadyInstances: alwaysReadyInstances
    zoneRedundant: zoneRedundant
    nodeVersion: nodeVersion
    dataRedundancy: dataRedundancy
    softDeleteDays: softDeleteDays
    versioning: versioning
    versionDays: versionDays
    pointInTimeDays: pointInTimeDays
    deleteLock: deleteLock
    coolAfterDays: coolAfterDays
    coldAfterDays: coldAfterDays
    platformAuth: platformAuth
    vnetEnabled: vnetEnabled
    vnetAddressPrefix: vnetAddressPrefix
    logDays: logDays
    blobAudit: blobAudit
    alertEmails: alertEmails
    failedPercent: failedPercent
    slowMilliseconds: slowMilliseconds
  }
}

// azd keeps these in its environment, where the hooks and `azd env get-values` find them.
output AZURE_TENANT_ID string = tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = service.outputs.functionAppName
output DICOMWEB_URL string = service.outputs.url
output DICOMWEB_AUDIENCE string = clientId
output DICOM_DATA_ACCOUNT string = service.outputs.dataAccountName
output DICOM_BLOB_ENDPOINT string = service.outputs.blobEndpoint
output DICOM_TABLE_ENDPOINT string = service.outputs.tableEndpoint
output DICOM_QUEUE_ENDPOINT string = service.outputs.queueEndpoint
