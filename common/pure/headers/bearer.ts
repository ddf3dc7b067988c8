/** The token of an `Authorization: Bearer …` header; null when the header is absent or of another kind (Basic). */
export function bearerOf(header: string | undefined): string | null {
  const match = /^bearer +(\S+) *$/i.exec(header ?? '');
  return match === null ? null : match[1]!;
}
