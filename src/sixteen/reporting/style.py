"""The one style sheet of the pages, for screens of every width and for paper; it asks nothing of the network."""

STYLE = """
:root { color-scheme: light; color: #1c2126; background: #fff; scroll-padding-top: 60px; }
body { font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; max-width: 960px;
  margin: 0 auto; padding: 0 20px 64px; }
main { padding-top: 20px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 22px; margin: 44px 0 10px; padding-top: 12px; border-top: 1px solid #d5dbe0; }
h3 { font-size: 17px; margin: 26px 0 6px; }
p, li { max-width: 76ch; }
a { color: #00497a; }
code, pre { font-family: "DejaVu Sans Mono", ui-monospace, monospace; font-size: 13.5px;
  background: #f3f5f7; border-radius: 3px; }
code { padding: 1px 4px; overflow-wrap: anywhere; }
pre { padding: 10px 12px; line-height: 1.4; white-space: pre-wrap; overflow-wrap: anywhere; }
.quiet { color: #49535c; font-size: 14.5px; font-weight: 400; }

/* Contents: a bar that stays at the top; beside the text where there is room. */
a.anchor { color: inherit; text-decoration: none; }
a.anchor:hover::after, a.anchor:focus-visible::after { content: " #"; color: #49535c; }
nav { position: sticky; top: 0; z-index: 2; display: flex; overflow-x: auto; margin: 0 -20px;
  padding: 0 12px; background: #fff; border-bottom: 1px solid #d5dbe0; font-size: 14.5px;
  white-space: nowrap; }
nav ul { display: flex; list-style: none; margin: 0; padding: 0; }
nav ul ul { display: none; }
nav a { display: block; padding: 9px 8px; text-decoration: none; }
nav a:hover { text-decoration: underline; }
nav a.home { font-weight: 600; }
@media (min-width: 1180px) {
  :root { scroll-padding-top: 8px; }
  body { display: grid; grid-template-columns: 210px minmax(0, 960px); column-gap: 40px;
    max-width: 1210px; }
  nav { display: block; align-self: start; box-sizing: border-box; max-height: 100vh; margin: 0;
    padding: 22px 0; overflow: auto; border: 0; white-space: normal; line-height: 1.3; }
  nav ul, nav ul ul { display: block; }
  nav ul ul { padding-left: 14px; font-size: 13.5px; }
  nav a { padding: 5px 0; }
  main { min-width: 0; padding-top: 28px; }
  main.alone { grid-column: 1 / -1; }
}

/* Tables scroll by themselves; a shadow lies where there is more, and where a browser can tell, words. */
.wide { overflow-x: auto; container-type: scroll-state; margin: 10px 0 18px; background:
  linear-gradient(to right, #fff 30%, #fff0) left / 36px 100% no-repeat local,
  linear-gradient(to left, #fff 30%, #fff0) right / 36px 100% no-repeat local,
  linear-gradient(to right, #1c212638, #1c212600) left / 12px 100% no-repeat scroll,
  linear-gradient(to left, #1c212638, #1c212600) right / 12px 100% no-repeat scroll; }
.wide:focus-visible { outline: 2px solid #00497a; outline-offset: 2px; }
@container scroll-state(scrollable: x) {
  caption::after { content: " (scroll sideways for more)"; font-style: italic; }
}
table { border-collapse: collapse; font-size: 14.5px; line-height: 1.4; }
caption { text-align: left; color: #49535c; padding-bottom: 4px; }
th, td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0;
  border-bottom: 1px solid #e3e7ea; }
thead th { font-weight: 600; border-bottom: 2px solid #9aa5ae; vertical-align: bottom; }
tbody th { font-weight: 400; min-width: 9em; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.number .quiet { white-space: normal; }
table.glance th { font-weight: 600; min-width: 5.5em; }
summary { cursor: pointer; padding: 2px 0; }
details { margin: 8px 0; }

/* Verdicts: a claim, its networks below it, why folded away; on a phone each row is a small card. */
table.verdicts { width: 100%; }
table.verdicts thead th:first-child { width: 40%; }
table.verdicts thead th:last-child { width: 36%; }
table.verdicts th, table.verdicts td { border-bottom: 0; }
table.verdicts thead th { border-bottom: 2px solid #9aa5ae; }
tr.claim th, tr.claim td { border-top: 1px solid #9aa5ae; padding-top: 12px; }
tr.claim th { font-weight: 600; }
tr.network th, tr.network td { padding-top: 1px; padding-bottom: 4px; }
tr.network th { padding-left: 16px; }
tr.why td { padding: 0 14px 8px 16px; }
tr.why details { margin: 0; }
tr.why p { margin: 4px 0; }
.time { display: inline-block; min-width: 15em; }
.estimate { font-variant-numeric: tabular-nums; }
.badge { display: inline-block; padding: 1px 9px; border-radius: 10px; font-weight: 600;
  font-size: 13.5px; white-space: nowrap; border: 1px solid; margin-bottom: 2px; }
.supported { color: #00462f; background: #dcf2ea; border-color: #009e73; }
.refuted { color: #7a2b00; background: #fce6da; border-color: #d55e00; }
.inconclusive { color: #363e46; background: #eceff1; border-color: #8b969f; }
.none { color: #49535c; font-weight: 400; border-color: #c3cbd1; }
@media screen and (max-width: 700px) {
  table.verdicts, table.verdicts caption, table.verdicts tbody { display: block; }
  table.verdicts thead { display: block; position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  table.verdicts tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; }
  table.verdicts th, table.verdicts td { padding-right: 0; }
  tr.claim th { grid-column: 1 / -1; padding-bottom: 2px; }
  tr.claim td { border-top: 0; padding-top: 2px; }
  tr.network { border-top: 1px solid #e3e7ea; padding-top: 3px; }
  tr.network td.estimate, tr.why td { grid-column: 1 / -1; }
  tr.claim td.estimate { grid-column: 1 / -1; }
  tr.network td.estimate { padding-left: 16px; }
  table.glance, table.glance caption, table.glance tbody, table.glance tr, table.glance th,
  table.glance td { display: block; padding-right: 0; }
  td.number .quiet { white-space: normal; }
table.glance th { border-bottom: 0; padding-bottom: 0; }
  table.glance td { padding-top: 0; }
}

figure { margin: 22px 0 34px; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: 14.5px; line-height: 1.45; color: #39424a; margin-top: 6px; }

@media print {
  @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav, .links { display: none; }
  h2, h3, caption, summary { break-after: avoid; }
  h2 { margin-top: 24px; }
  tr, figure { break-inside: avoid; }
  figure { margin: 12px 0 16px; }
  figure img { width: auto; max-height: 118mm; }
  .wide { overflow: visible; background: none; }
  table { font-size: 9pt; }
  td.number, th.number { white-space: normal; }
  details::details-content { content-visibility: visible; block-size: auto; opacity: 1; }
  summary { list-style: none; }
}
"""
