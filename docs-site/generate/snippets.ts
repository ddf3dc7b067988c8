/** The same call with curl, in Node and in Python, ready to paste: the token comes from the environment. */
export function snippets(method: string, address: string, example: unknown): string {
  const path = address.replace(/\{(\w+)\}|:(\w+)/g, (_, a, b) => `$${String(a ?? b).toUpperCase()}`);
  const sends = method !== 'GET' && method !== 'DELETE';
  const body = sends ? JSON.stringify(example ?? {}) : null;
  const curl = [
    `curl -s ${method === 'GET' ? '' : `-X ${method} `}-H "Authorization: Bearer $WEBVIRT_TOKEN"`,
    ...(body === null ? [] : [`-H 'Content-Type: application/json' -d '${body}'`]),
    `"http://127.0.0.1:4600${path}"`,
  ].join(' \\\n  ');
  const template = path.replace(/\$([A-Z]\w*)/g, (_, name: string) => `\${process.env.${name}}`);
  const node = [
    `const answer = await fetch(\`http://127.0.0.1:4600${template}\`, {`,
    ...(method === 'GET' ? [] : [`  method: '${method}',`]),
    `  headers: { authorization: \`Bearer \${process.env.WEBVIRT_TOKEN}\`${body === null ? '' : ", 'content-type': 'application/json'"} },`,
    ...(body === null ? [] : [`  body: JSON.stringify(${body}),`]),
    '});',
    'console.log(await answer.text());',
  ].join('\n');
  const formatted = path.replace(/\$([A-Z]\w*)/g, (_, name: string) => `{os.environ['${name}']}`);
  const python = [
    'import json, os, urllib.request',
    `call = urllib.request.Request(f"http://127.0.0.1:4600${formatted}", method="${method}",`,
    `    headers={"Authorization": "Bearer " + os.environ["WEBVIRT_TOKEN"]${body === null ? '' : ', "Content-Type": "application/json"'}}${body === null ? '' : `,\n    data=json.dumps(json.loads('''${body}''')).encode()`})`,
    'print(urllib.request.urlopen(call).read().decode())',
  ].join('\n');
  return [
    ['sh', curl],
    ['js', node],
    ['python', python],
  ]
    .map(([language, text]) => `\`\`\`${language}\n${text}\n\`\`\``)
    .join('\n\n');
}
