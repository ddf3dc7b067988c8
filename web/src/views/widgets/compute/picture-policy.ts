let policy: Promise<string> | null = null;

/**
 * Whether the policy that this page was sent with lets images come from a scheme. Trying it would be a breach of the
 * policy, so it is read.
 */
export async function pictureAllowed(scheme: 'blob:' | 'data:'): Promise<boolean> {
  policy ??= fetch('/', { method: 'HEAD', credentials: 'same-origin' }).then(
    (response) => response.headers.get('content-security-policy') ?? '',
    () => "default-src 'none'",
  );
  const rules = (await policy).split(';').map((rule) => rule.trim().split(/\s+/));
  const rule = rules.find(([name]) => name === 'img-src') ?? rules.find(([name]) => name === 'default-src');
  return rule === undefined || rule.includes(scheme);
}
