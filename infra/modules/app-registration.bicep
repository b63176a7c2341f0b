// The app registration: what tokens are made out to, and which roles there are (src/auth/roles.ts).
// In a module of its own, since the Graph extension comes from a registry when templates are built.
extension microsoftGraphV1

@description('Key by which the registration is found again.')
param uniqueName string

@description('Name that people see.')
param displayName string

@description('Data partitions, each with roles of its own.')
param partitions string[]

@description('Redirect URIs of viewers in browsers.')
param redirectUris string[]

@description('Object id of who may read, write and delete from the start. Empty: nobody.')
param testerId string

var roles = [
  {
    value: 'Dicom.Read'
    displayName: 'DICOM read'
    description: 'Search, retrieve and follow changes.'
    perPartition: true
  }
  {
    value: 'Dicom.Write'
    displayName: 'DICOM write'
    description: 'Store and replace instances.'
    perPartition: true
  }
  {
    value: 'Dicom.Delete'
    displayName: 'DICOM delete'
    description: 'Delete studies, series and instances.'
    perPartition: true
  }
  {
    value: 'Dicom.Share'
    displayName: 'DICOM share'
    description: 'Search, retrieve, and share by link.'
    perPartition: true
  }
  {
    value: 'Dicom.Admin'
    displayName: 'DICOM admin'
    description: 'Everything, and the settings of the archive.'
    perPartition: true
  }
  {
    value: 'DICOMDataReader'
    displayName: 'DICOM Data Reader'
    description: 'As the Azure role of that name: search and retrieve.'
    perPartition: false
  }
  {
    value: 'DICOMDataOwner'
    displayName: 'DICOM Data Owner'
    description: 'As the Azure role of that name: everything.'
    perPartition: false
  }
  {
    value: 'globalReader'
    displayName: 'Global reader'
    description: 'As in the Microsoft server: search and retrieve.'
    perPartition: false
  }
  {
    value: 'globalAdmin'
    displayName: 'Global admin'
    description: 'As in the Microsoft server: everything.'
    perPartition: false
  }
]

var partitionRoles = filter(roles, role => role.perPartition)
var rolesOfPartitions = flatten(map(
  partitions,
  partition =>
    map(partitionRoles, role => {
      value: '${role.value}.${partition}'
      displayName: '${role.displayName}, ${partition}'
      description: '${role.description} In the data partition ${partition}.'
      perPartition: true
    })
))

var rolesOfTester = ['Dicom.Read', 'Dicom.Write', 'Dicom.Delete']
var assigned = empty(testerId) ? [] : rolesOfTester

// Tenants accept identifiers that hold their id; that of the app is not known before it exists.
var identifierUri = 'api://${tenant().tenantId}/${uniqueName}'

var scopeId = guid(uniqueName, 'user_impersonation')

// The Azure CLI, with which `az account get-access-token` asks for tokens.
var azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'

resource application 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMyOrg'
  identifierUris: [identifierUri]
  appRoles: [
    for role in concat(roles, rolesOfPartitions): {
      id: guid(uniqueName, role.value)
      value: role.value
      displayName: role.displayName
      description: role.description
      allowedMemberTypes: ['User', 'Application']
      isEnabled: true
    }
  ]
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: [
      {
        id: scopeId
        value: 'user_impersonation'
        type: 'User'
        adminConsentDisplayName: 'Use the DICOMweb service'
        adminConsentDescription: 'Lets an app use the DICOMweb service as the user who is signed in.'
        userConsentDisplayName: 'Use the DICOMweb service'
        userConsentDescription: 'Lets an app use the DICOMweb service as you.'
        isEnabled: true
      }
    ]
    preAuthorizedApplications: [
      {
        appId: azureCli
        delegatedPermissionIds: [scopeId]
      }
    ]
  }
  spa: {
    redirectUris: redirectUris
  }
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: application.appId
  // Who has no role gets no token.
  appRoleAssignmentRequired: true
}

resource testerRoles 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for role in assigned: {
    appRoleId: guid(uniqueName, role)
    principalId: testerId
    resourceId: servicePrincipal.id
  }
]

output clientId string = application.appId
output audience string = '${application.appId},${identifierUri}'
