// The function app on a Flex Consumption plan. Every setting that the code reads is set here; a test
// holds the two together.
import { furtherSettings } from '../settings.bicep'

param location string
param tags object
param token string
param identityId string
param identityClientId string
param subnetId string
param hostBlobEndpoint string
param packageContainer string
param blobEndpoint string
param tableEndpoint string
param queueEndpoint string
param insightsConnectionString string
param workspaceId string
param authTenantId string
param authAudience string
param authIssuer string
param allowedOrigins string
param publicUrl string
param partitionsEnabled bool
param importKeepsFiles bool
param maxRequestBytes int
param moreSettings furtherSettings
param instanceMemoryMB int
param maximumInstanceCount int
param requestsPerInstance int
param alwaysReadyInstances int
param zoneRedundant bool
param nodeVersion string

var appName = 'func-dicomweb-${token}'

// An empty setting counts as unset, and unset means every origin: its own is the only one, then.
var origins = empty(allowedOrigins) ? 'https://${appName}.azurewebsites.net' : allowedOrigins

var settings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: hostBlobEndpoint
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The service counts bytes itself and answers 413; the host, which would answer 500, comes second.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(maxRequestBytes + 1048576)
  // Buffers of this size and more go back to the system as soon as they are free (docs/configuration.md).
  MALLOC_MMAP_THRESHOLD_: '262144'
  DicomStorage__blobServiceUri: blobEndpoint
  DicomStorage__tableServiceUri: tableEndpoint
  DicomStorage__queueServiceUri: queueEndpoint
  DicomStorage__credential: 'managedidentity'
  DicomStorage__clientId: identityClientId
  DICOM_AUTH_TENANT_ID: authTenantId
  DICOM_AUTH_AUDIENCE: authAudience
  DICOM_AUTH_ISSUER: authIssuer
  DICOMWEB_ALLOWED_ORIGINS: origins
  DICOMWEB_PUBLIC_URL: publicUrl
  DICOMWEB_PARTITIONS: string(partitionsEnabled)
  DICOMWEB_IMPORT_KEEP_FILES: string(importKeepsFiles)
  DICOMWEB_MAX_REQUEST_BYTES: string(maxRequestBytes)
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-dicomweb-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: appName
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      // CORS is the service's own: what the platform answered here would never reach it.
      appSettings: map(items(union(settings, moreSettings)), setting => {
        name: setting.key
        value: string(setting.value)
      })
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostBlobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: {
          http: { perInstanceConcurrency: requestsPerInstance }
        }
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
      }
    }
  }

  resource deployment 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

resource appMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'metrics'
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
