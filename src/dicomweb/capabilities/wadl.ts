/** Routes as a Web Application Description, the default of Retrieve Capabilities (PS3.18 §8.9). */
import type { Route } from '../route.js';
import { byPath, type DescribedRoute } from './described-route.js';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character] ?? character);
}

function parameter(name: string, style: 'template' | 'query'): string {
  const required = style === 'template' ? ' required="true"' : '';
  return `<param name="${escape(name)}" style="${style}" type="xs:string"${required}/>`;
}

function representations(mediaTypes: readonly string[]): string {
  return mediaTypes.map((type) => `<representation mediaType="${escape(type)}"/>`).join('');
}

function methodXml({ name, method, summary, queryParameters, takes, answers }: DescribedRoute) {
  const query = queryParameters.map((one) => parameter(one, 'query')).join('');
  return (
    `<method name="${method}" id="${name}"><doc title="${escape(summary)}"/>` +
    `<request>${query}${representations(takes)}</request>` +
    `<response>${representations(answers)}</response></method>`
  );
}

/** The description of routes, as an XML document in UTF-8. */
export function toWadl(routes: readonly Route[], baseUrl: string): string {
  const resources = [...byPath(routes)].map(([path, methods]) => {
    const template = (methods[0]?.pathParameters ?? []).map((one) => parameter(one, 'template'));
    const content = template.join('') + methods.map(methodXml).join('');
    return `<resource path="${escape(path)}">${content}</resource>`;
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<application xmlns="http://wadl.dev.java.net/2009/02" xmlns:xs="http://www.w3.org/2001/XMLSchema">' +
    `<resources base="${escape(baseUrl)}/">${resources.join('')}</resources></application>\n`
  );
}
