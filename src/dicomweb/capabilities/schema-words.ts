/** The words that schemas of JSON bodies are made of (JSON Schema 2020-12). */

/** A JSON Schema. */
export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: 'string' };
export const whole: Schema = { type: 'integer', minimum: 0 };
export const moment: Schema = { type: 'string', format: 'date-time' };
export const url: Schema = { type: 'string', format: 'uri' };
export const uid: Schema = { type: 'string', pattern: '^[0-9.]+$', maxLength: 64 };
/** 32 hex digits, as the official .NET client wants them. */
export const operationId: Schema = { type: 'string', pattern: '^[0-9a-f]{32}$' };

/** A Reference Object of OpenAPI 3: a schema of the document stands once, and is named elsewhere. */
export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object with members that have to be there, and others. */
export function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
  };
}

/** An array of what the schema of that name describes. */
export function listOf(name: string): Schema {
  return { type: 'array', items: ref(name) };
}
