/* SPDX-License-Identifier: BSD-2-Clause */
#include "page.h"

/*
 * What pages look like. Each verdict has a silhouette, a sign, a word and a colour of
 * its own, so that none of the four is needed alone; the colours keep a contrast of 4.5
 * and more on their tint and on white. No page asks anything of the network.
 */
/* clang-format off */
const char page_symbols[] =
        "<svg class=\"vh\" aria-hidden=\"true\" focusable=\"false\">"
        "<symbol id=\"s-works\" viewBox=\"0 0 24 24\"><circle cx=\"12\" cy=\"12\" r=\"11\" fill=\"#0b6e4f\"/>"
        "<path d=\"M6 12.6l4.2 4.2L18.2 8\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2.7\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/></symbol>"
        "<symbol id=\"s-limits\" viewBox=\"0 0 24 24\"><path d=\"M12 2.4L22.4 21.2H1.6z\" fill=\"#8a5300\" stroke=\"#8a5300\" stroke-width=\"2\" stroke-linejoin=\"round\"/>"
        "<path d=\"M12 9v5.6M12 18.2v.1\" stroke=\"#fff\" stroke-width=\"2.8\" stroke-linecap=\"round\"/></symbol>"
        "<symbol id=\"s-breaks\" viewBox=\"0 0 24 24\"><rect x=\"1.5\" y=\"1.5\" width=\"21\" height=\"21\" rx=\"3\" fill=\"#b3261e\"/>"
        "<path d=\"M7.4 7.4l9.2 9.2M16.6 7.4l-9.2 9.2\" stroke=\"#fff\" stroke-width=\"2.8\" stroke-linecap=\"round\"/></symbol>"
        "<symbol id=\"s-risk\" viewBox=\"0 0 24 24\"><path d=\"M12 1l9.4 3.3v7.1c0 5.6-3.8 9.6-9.4 11.6-5.6-2-9.4-6-9.4-11.6V4.300z\" fill=\"#6b1f8f\"/>"
        "<path d=\"M8.800 11.200V9.600a3.200 3.200 0 016.200-1.100\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2\" stroke-linecap=\"round\"/>"
        "<rect x=\"7.400\" y=\"11\" width=\"9.200\" height=\"6.600\" rx=\"1.200\" fill=\"#fff\"/></symbol>"
        "<symbol id=\"s-inconclusive\" viewBox=\"0 0 24 24\"><path d=\"M12 1l11 11-11 11L1 12z\" fill=\"#37506a\"/>"
        "<path d=\"M9.300 9.900a2.800 2.800 0 114.700 2c-1.200 1-1.900 1.500-1.900 2.600M12.100 17.400v.1\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2.100\" stroke-linecap=\"round\"/></symbol>"
        "<symbol id=\"s-not-applicable\" viewBox=\"0 0 24 24\"><path d=\"M5 12h14\" stroke=\"#5b6066\" stroke-width=\"3\" stroke-linecap=\"round\"/></symbol>"
        "<symbol id=\"s-skipped\" viewBox=\"0 0 24 24\"><circle cx=\"12\" cy=\"12\" r=\"9.500\" fill=\"#fff\" stroke=\"#5b6066\" stroke-width=\"2.200\" stroke-dasharray=\"3.500 3\"/>"
        "<path d=\"M9.500 8l5.500 4-5.500 4z\" fill=\"#5b6066\"/></symbol></svg>\n";

const char style_common[] =
        "*{box-sizing:border-box}"
        "html{font:16px/1.5 system-ui,\"Segoe UI\",Roboto,\"Liberation Sans\",Arial,sans-serif;color:#1b1f24;background:#fff;-webkit-text-size-adjust:100%}"
        "body{margin:0 auto;padding:1.1rem}a{color:#0a4f9e}:focus-visible{outline:3px solid #0a4f9e;outline-offset:2px}"
        "h1,h2,h3,h4{line-height:1.25}p{margin:.3rem 0}code{background:#eef0f2;padding:0 .25rem;border-radius:3px;font-size:.86em;overflow-wrap:anywhere}"
        ".i{width:1.25rem;height:1.25rem;flex:none;vertical-align:-.28em}.i.s{width:1.05rem;height:1.05rem}.i.l{width:4rem;height:4rem}"
        ".vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}"
        ".r{position:absolute;opacity:0}.sw{display:flex;gap:.25rem;justify-content:flex-end;margin-bottom:.4rem}"
        ".sw label{padding:.2rem .75rem;border:1px solid #767b82;border-radius:4px;cursor:pointer}"
        "#nl:checked~.sw [for=nl],#en:checked~.sw [for=en]{background:#1b1f24;color:#fff}"
        "#nl:focus-visible~.sw [for=nl],#en:focus-visible~.sw [for=en]{outline:3px solid #0a4f9e;outline-offset:2px}"
        "#nl:checked~* [lang=en]:not(.lb),#en:checked~* [lang=nl]:not(.lb){display:none}"
        ".v-works{--c:#0b6e4f;--t:#e6f4ee}.v-limits{--c:#8a5300;--t:#fdf1dc}.v-breaks{--c:#b3261e;--t:#fdeae8}"
        ".v-risk{--c:#6b1f8f;--t:#f4e8fa}.v-inconclusive{--c:#37506a;--t:#e9eff5}.v-not-applicable{--c:#5b6066;--t:#f3f4f5}.v-skipped{--c:#5b6066;--t:#fff}"
        ".soft{color:#4a5057}.small{font-size:.86rem}"
        "@media print{body{padding:0}.noprint{display:none!important}a{color:inherit;text-decoration:none}"
        "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}";

const char style_matrix[] =
        "body{max-width:1280px}h1{font-size:1.5rem;margin:0 0 .2rem}h2{font-size:1.2rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:1rem 0 .3rem}h4{font-size:.92rem;margin:.8rem 0 .2rem}"
        ".skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:1rem;background:#fff;padding:.5rem;z-index:2}"
        ".sum{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;margin:.6rem 0;list-style:none}"
        ".sum li{border:1px solid #c9ced4;border-radius:6px;padding:.25rem .6rem;display:flex;gap:.4rem;align-items:center}"
        ".box{border:2px solid #1b1f24;border-radius:6px;padding:.5rem .9rem;margin:.7rem 0}.box h2{font-size:1.05rem;margin:.1rem 0 .3rem}"
        ".box ol,.box ul{margin:.2rem 0;padding-left:1.3rem}.box li{margin:.15rem 0}.warn{border-color:#8a5300;background:#fdf1dc}"
        "nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.4rem 0;list-style:none}"
        ".wrap{overflow-x:auto}table{border-collapse:collapse}"
        "table.m{border-collapse:separate;border-spacing:3px;table-layout:fixed;width:100%;min-width:calc(16rem + var(--n)*7rem);max-width:calc(17rem + var(--n)*12rem)}"
        "table.m col.k{width:16rem}table.m caption{text-align:left;font-weight:700;padding:.3rem .2rem}"
        "table.m thead th{font-size:.85rem;text-align:left;vertical-align:bottom;padding:.3rem .4rem}"
        "table.m tbody th{text-align:left;font-weight:400;font-size:.86rem;line-height:1.3;padding:.3rem .4rem;background:#fff;position:sticky;left:0;overflow-wrap:anywhere}"
        "table.m tbody th b{display:block}body:not(.f) table.m tbody th b.k2{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}table.m tbody th span.cl{color:#4a5057}"
        "table.m tr.grp th{background:#e3e6ea;font-weight:700;position:static}"
        "td.c{padding:0;border-radius:5px;background:var(--t)}td.c a{display:flex;align-items:center;gap:.4rem;padding:.35rem .45rem;min-height:2.2rem;text-decoration:none;font-size:.8rem;line-height:1.15;color:var(--c);hyphens:auto;overflow-wrap:anywhere}"
        "td.c a:hover .t{text-decoration:underline}td.c .q{display:block;font-size:.74rem;color:#4a5057}td.c.v-skipped{outline:1px dashed #c9ced4;outline-offset:-1px}"
        "tr.dim{display:none}"
        "details.ev{border:1px solid #c9ced4;border-left:6px solid var(--c,#5b6066);border-radius:5px;margin:.4rem 0;padding:.4rem .8rem}details.ev>summary{cursor:pointer}"
        "details.ev:target{outline:3px solid #0a4f9e}details.set{margin:.6rem 0}details.set>summary{cursor:pointer;font-weight:700;padding:.25rem 0}"
        "dl{margin:.4rem 0;display:grid;grid-template-columns:minmax(7rem,11rem) 1fr;gap:.25rem .9rem}dt{font-weight:700}dd{margin:0;overflow-wrap:anywhere}dd ul{margin:0;padding-left:1.1rem}"
        "table.d{width:100%;font-size:.88rem;margin:.3rem 0}table.d th,table.d td{border-bottom:1px solid #c9ced4;text-align:left;vertical-align:top;padding:.25rem .45rem;overflow-wrap:break-word}table.d td.f{overflow-wrap:anywhere}table.d td:first-child{white-space:nowrap}"
        "table.d thead th{border-bottom:2px solid #1b1f24;font-size:.84rem}table.d tr.bad td{background:#fdeae8}table.d td.f{color:#4a5057;font-size:.92em}"
        "ul.ids{margin:.2rem 0;padding-left:1.1rem;font-size:.82rem}ul.opt{margin:0;padding:0;list-style:none}ul.opt li{display:flex;flex-wrap:wrap;gap:.1rem .6rem;margin:.1rem 0}ul.opt .o{white-space:nowrap}"
        "fieldset{border:1px solid #c9ced4;border-radius:6px;display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;padding:.4rem .8rem;margin:.6rem 0}fieldset[hidden]{display:none}"
        "fieldset label{display:inline-flex;gap:.35rem;align-items:center}input[type=search]{font:inherit;padding:.2rem .5rem;border:1px solid #767b82;border-radius:4px;min-width:14rem}"
        "@media(max-width:640px){body{padding:.7rem}dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}table.m tbody th{position:static}table.m{min-width:calc(9rem + var(--n)*6.300rem)}table.m col.k{width:9rem}table.d.st thead{display:none}table.d.st td{display:block;white-space:normal;border:0;padding:.05rem 0}table.d.st tr{display:block;border-bottom:1px solid #c9ced4;padding:.3rem 0}}"
        "@media print{@page{size:A4 landscape;margin:10mm}html{font-size:11px}details.ev.v-works,details.ev.v-skipped,details.ev.v-not-applicable{display:none}"
        "details::details-content{content-visibility:visible;display:block}.wrap{overflow:visible}table.m{min-width:0}tr,details.ev>dl{break-inside:avoid}td.c a{min-height:0}}"
        ".n1{--n:1}.n2{--n:2}.n3{--n:3}.n4{--n:4}.n5{--n:5}.n6{--n:6}.n7{--n:7}.n8{--n:8}";

const char style_verdict[] =
        "@page{size:A4;margin:11mm 13mm}body{max-width:860px}"
        "h1{font-size:1.35rem;margin:.1rem 0 .5rem}h2{font-size:1rem;margin:.65rem 0 .2rem}"
        ".verdict{display:flex;gap:1.1rem;align-items:center;border:3px solid var(--c);background:var(--t);border-radius:8px;padding:.7rem 1.1rem}"
        ".verdict .v{font-size:1.9rem;font-weight:700;margin:0;line-height:1.1}.verdict .lead{margin:.25rem 0 0;font-size:1.02rem}"
        "table{border-collapse:collapse;width:100%}th{text-align:left;font-size:.84rem;color:#4a5057;border-bottom:2px solid #1b1f24;padding:.2rem .45rem}"
        "td{border-bottom:1px solid #c9ced4;padding:.3rem .45rem;vertical-align:top}.n{width:1.5rem;font-weight:700}.fix td{font-size:.95rem;line-height:1.35}.fix td:nth-child(3){width:22%}.fix td:nth-child(4){width:17%}"
        ".q4{table-layout:fixed}.q4 thead td{width:20%;border:0}.q4 th[scope=row]{color:#1b1f24;border-bottom:1px solid #c9ced4;width:20%;vertical-align:top}.q4 td{background:var(--t)}.q4 .st{color:var(--c);font-weight:700}.q4 p{margin:.1rem 0;font-size:.86rem;line-height:1.35}.cmp{font-weight:700;margin:.35rem 0}"
        ".cols{display:grid;grid-template-columns:1.3fr 1fr;gap:0 1.5rem}.cols ul{list-style:none;margin:0;padding:0}.cols li{display:flex;gap:.5rem;margin:.15rem 0;align-items:flex-start;font-size:.93rem;line-height:1.35}.cols li .i{margin-top:.12rem}"
        ".cols.small{grid-template-columns:1fr 1.3fr}.cols.small p,.cols.small ol{margin:.1rem 0;font-size:.9rem}.cols ol{padding-left:1.2rem}.cols ol li{display:list-item;margin:0}"
        "footer{margin-top:.7rem;border-top:1px solid #c9ced4;font-size:.8rem;color:#4a5057;display:grid;grid-template-columns:1.1fr 1fr;gap:0 1rem}footer p{margin:.15rem 0;overflow-wrap:anywhere}"
        "@media print{html{font-size:10px;line-height:1.3}td{padding:.18rem .45rem}.verdict .v{font-size:1.6rem}.i.l{width:3rem;height:3rem}body{max-width:none}h2{margin-top:.55rem}}"
        "@media(max-width:640px){.cols,.cols.small,footer{grid-template-columns:1fr}.i.l{width:2.600rem;height:2.600rem}.q4,.q4 tbody,.q4 tr,.q4 td,.q4 th[scope=row]{display:block;width:auto}.q4 thead{display:none}.q4 .g{display:block}}"
        "@media(min-width:641px){.q4 .g{display:none}}@media print{.q4 .g{display:none}}";

const char script_matrix[] =
        "(function(){var f=document.getElementById('filter');if(!f)return;f.hidden=false;"
        "var q=document.getElementById('q'),o=document.getElementById('shown'),"
        "b=[].slice.call(f.querySelectorAll('input[type=checkbox]')),"
        "rows=[].slice.call(document.querySelectorAll('tr[data-v]'));"
        "function go(){var on={},t=q.value.toLowerCase(),n=0;b.forEach(function(x){on[x.value]=x.checked});"
        "rows.forEach(function(r){var s=r.getAttribute('data-v').split(' ').some(function(v){return on[v]!==false})"
        "&&r.querySelector('th').textContent.toLowerCase().indexOf(t)>=0;r.className=s?'':'dim';if(s)n++});"
        "document.body.className=n<rows.length?'f':'';o.textContent=n+' / '+rows.length}"
        "f.addEventListener('input',go);go();"
        "function open(){var d=location.hash&&document.getElementById(location.hash.slice(1));if(d&&d.tagName==='DETAILS')d.open=true}"
        "addEventListener('hashchange',open);open()})();";
/* clang-format on */
