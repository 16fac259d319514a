// A message in place of the page.
export function showNotice(title: string, ...paragraphs: string[]): void {
  const main = document.createElement('main');
  main.className = 'notice';
  main.setAttribute('role', 'alert');
  main.dataset.testid = 'notice';
  const heading = document.createElement('h1');
  heading.textContent = title;
  main.append(heading);
  for (const text of paragraphs) {
    const paragraph = document.createElement('p');
    paragraph.textContent = text;
    main.append(paragraph);
  }
  document.getElementById('root')?.replaceChildren(main);
}
