import { describe, expect, it } from '@jest/globals';
import { attribute } from '../../../src/dicom/attribute.js';
import {
  microsoftV1SearchPolicy,
  microsoftV2SearchPolicy,
  standardSearchPolicy,
} from '../../../src/dicomweb/search/search-policy.js';

const availability = attribute('InstanceAvailability');

describe('the attributes that a search returns unasked', () => {
  it.each([
    ['/v1', microsoftV1SearchPolicy],
    ['/v2', microsoftV2SearchPolicy],
  ])('have no InstanceAvailability at any level under %s', (_, { defaults }) => {
    for (const tags of Object.values(defaults)) expect(tags).not.toContain(availability);
  });

  it('have InstanceAvailability of studies and instances in PS3.18', () => {
    const { study, instance } = standardSearchPolicy.defaults;
    expect(study).toContain(availability);
    expect(instance).toContain(availability);
  });
});
