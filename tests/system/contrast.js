// Every text that is seen with too little contrast to what is behind it, and how many were looked at:
// https://www.w3.org/TR/WCAG22/#contrast-minimum
() => {
    const parts = (text) => text.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const low = [];
    let seen = 0;
    for (const node of document.querySelectorAll("body *")) {
        const text = [...node.childNodes].filter((each) => each.nodeType === 3).map((each) => each.textContent.trim()).join("");
        const box = node.getBoundingClientRect();
        if (!text || box.width < 2 || box.height < 2 || !node.checkVisibility()) continue;
        const style = getComputedStyle(node);
        let behind = node, opacity = 1;
        while (behind && parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
        for (let each = node; each; each = each.parentElement) opacity *= Number(getComputedStyle(each).opacity);
        const back = parts(getComputedStyle(behind || document.body).backgroundColor);
        const ink = parts(node instanceof SVGElement ? style.fill : style.color);
        const seenInk = ink.slice(0, 3).map((c, at) => c * opacity + back[at] * (1 - opacity));
        const [one, other] = [light(seenInk), light(back)].sort((a, b) => b - a);
        const ratio = (one + 0.05) / (other + 0.05);
        const size = parseFloat(style.fontSize);
        const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
        seen += 1;
        if (ratio < needed) low.push(`${node.className?.baseVal ?? node.className} "${text.slice(0, 40)}" ${ratio.toFixed(2)}`);
    }
    return {low, seen};
}
