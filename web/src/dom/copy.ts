/** Puts text on the clipboard. False when the browser refuses (plain HTTP from another machine). */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  document.body.append(area);
  area.select();
  // The old road is the only one where `navigator.clipboard` does not exist: outside secure contexts.
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
