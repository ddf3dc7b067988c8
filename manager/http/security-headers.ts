/**
 * Headers of every answer. No inline script or style and nothing of another origin runs in the console; no page of
 * another site may frame it or read its answers. Strict-Transport-Security is left out on purpose: the certificate is
 * of our own authority, and a browser under that header would lock out whoever has not installed it.
 */
export function securityHeaders(hostHeader: string | undefined): Record<string, string> {
  // `'self'` covers WebSockets in current browsers; older ones need the address spelled out. The host was checked.
  const sockets = hostHeader === undefined ? '' : ` ws://${hostHeader} wss://${hostHeader}`;
  return {
    'Content-Security-Policy': [
      "default-src 'self'",
      `connect-src 'self'${sockets}`,
      // Plots come as SVG: drawn as an image, where no script of theirs runs and nothing is fetched.
      "img-src 'self' blob:",
      "object-src 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
    'X-DNS-Prefetch-Control': 'off',
  };
}
