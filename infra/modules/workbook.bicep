// The workbook: what the service does, how fast, and what went wrong.
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(workspaceId, 'dicomweb')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'DICOMweb'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: replace(loadTextContent('../workbook.json'), '{workspace}', workspaceId)
  }
}
