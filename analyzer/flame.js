/*
 * flame.js - what the page of `denet-analyze flame` does.
 *
 * The data is one JSON document: what the trace was, and a tree for each kind of
 * weight. A tree is five lists of one length, a node at each place, in the order
 * of a walk: depth, name and object (places in `names`), kind, value. A node of
 * kind "few" stands for frames too small to be drawn; its name is their number.
 *
 * Every text of the trace goes into the page as text, never as markup. The part
 * of the address behind # may say what is shown first: #show=offcpu&search=read.
 */
"use strict";

(function () {
	const USER = 0, KERNEL = 1, MARK = 2, ROOT = 3, FEW = 4;
	const SMOOTH_MAX = 1500;	/* with more frames the picture changes at once */
	const $ = (id) => document.getElementById(id);
	const data = JSON.parse($("data").textContent);
	const make = window.flamegraph.default || window.flamegraph;
	const asked = new URLSearchParams(location.hash.slice(1));
	let tree = null, chart = null, pattern = null;

	/* --- numbers as people read them, as denet-analyze prints them --- */

	const grouped = (n) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");

	function scaled(v, units) {
		let i = 0;

		while (i + 1 < units.length && v >= 999.5) {
			v /= 1000;
			i++;
		}
		return (i ? Number(v.toPrecision(3)).toString() : String(v)) + " " + units[i];
	}

	function weight(v) {
		if (tree.ns)
			return scaled(v, ["ns", "us", "ms", "s"]);
		return grouped(v) + " " + (v === 1 ? tree.unit.replace(/s$/, "") : tree.unit);
	}

	function share(v, whole) {
		const p = whole ? 100 * v / whole : 0;

		return p > 0 && p < 0.1 ? "<0.1 %" : p.toFixed(1) + " %";
	}

	/* --- the tree --- */

	function grow(t) {
		const above = [];

		for (let i = 0; i < t.depth.length; i++) {
			const few = t.kind[i] === FEW;
			const node = {
				name: few ? "(" + grouped(t.name[i]) + (t.name[i] === 1 ? " small frame)" : " small frames)") :
					data.names[t.name[i]],
				object: t.object[i] < 0 ? "" : data.names[t.object[i]],
				kind: t.kind[i], value: t.value[i], children: [],
			};

			above[t.depth[i]] = node;
			if (t.depth[i])
				above[t.depth[i] - 1].children.push(node);
		}
		return above[0];
	}

	/* A number from 0 to 1 for a name, always the same. */
	function spread(name) {
		let h = 2166136261;	/* FNV-1a */

		for (let i = 0; i < name.length; i++)
			h = Math.imul(h ^ name.charCodeAt(i), 16777619);
		return (h >>> 8) % 1000 / 1000;
	}

	function color(d) {
		const v = spread(d.data.name);

		if (d.highlight)
			return "hsl(300, 70%, 74%)";
		switch (d.data.kind) {
		case USER:
			return `hsl(${8 + 44 * v}, 90%, ${70 - 8 * v}%)`;
		case KERNEL:
			return `hsl(${200 + 24 * v}, 68%, ${76 - 8 * v}%)`;
		case ROOT:
			return "hsl(150, 22%, 76%)";
		default:
			return "hsl(220, 6%, 72%)";
		}
	}

	function describe(d) {
		const n = d.data, top = tree.root.value, lines = [];

		lines.push(`${weight(n.value)}, ${share(n.value, top)} of all` +
			   (d.parent && d.parent.data.value !== top ?
			    `, ${share(n.value, d.parent.data.value)} of its caller` : ""));
		if (n.object)
			lines.push(n.object);
		if (n.kind === FEW)
			lines.push("too small to be drawn one by one");
		return [n.name, ...lines];
	}

	/* --- the tip: what the library asks of one --- */

	const tip = () => tip;
	tip.show = function (event, d) {
		const box = $("tip"), [name, ...lines] = describe(d);
		const b = document.createElement("b");

		b.textContent = name;
		box.replaceChildren(b, ...lines.map((line) => {
			const s = document.createElement("span");

			s.textContent = line;
			return s;
		}));
		box.hidden = false;
		box.style.left = box.style.top = "0";	/* its size depends on the room to its right */
		const x = Math.min(event.clientX + 12, innerWidth - box.offsetWidth - 8);
		const y = event.clientY + 16 + box.offsetHeight > innerHeight ?
			event.clientY - box.offsetHeight - 10 : event.clientY + 16;
		box.style.left = Math.max(8, x) + "px";
		box.style.top = Math.max(8, y) + "px";
	};
	tip.hide = function () {
		$("tip").hidden = true;
	};

	/* --- status, search --- */

	function say(text) {
		$("status").textContent = text;
	}

	function say_whole() {
		say(`${tree.title}: ${weight(tree.root.value)}` +
		    (tree.few ? `; ${grouped(tree.few)} of ${grouped(tree.frames)} frames are too small to be drawn` : "") +
		    (tree.flaws ? "; " + tree.flaws : ""));
	}

	/* Each match once: what is below another match is in its weight already. */
	function found(results) {
		let sum = 0;

		for (const d of results) {
			let up = d.parent;

			while (up && !up.highlight)
				up = up.parent;
			if (!up)
				sum += d.data.value;
		}
		say(`${grouped(results.length)} ${results.length === 1 ? "frame" : "frames"} found: ` +
		    `${weight(sum)}, ${share(sum, tree.root.value)} of all`);
	}

	function search() {
		const text = $("search").value;

		pattern = null;
		if (!text) {
			chart.clear();
			say_whole();
			return;
		}
		try {
			pattern = new RegExp(text, /[A-Z]/.test(text) ? "u" : "iu");
		} catch (e) {
			chart.clear();
			say("This is no regular expression; put \\ before ( ) [ ] { } . * + ? ^ $ |");
			return;
		}
		chart.search(text);
	}

	/* --- drawing --- */

	const width = () => Math.max(200, $("chart").clientWidth);

	function zoomed(d) {
		$("reset").disabled = !d.parent;
	}

	function draw() {
		const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

		$("chart").replaceChildren();
		tree.root = grow(tree);
		chart = make().width(width()).cellHeight(18).minFrameSize(1).resetHeightOnZoom(true)
			.transitionDuration(calm || tree.depth.length > SMOOTH_MAX ? 0 : 250)
			.inverted($("turn").getAttribute("aria-pressed") === "true")
			.setColorMapper(color).getName((d) => d.data.name)
			.setLabelHandler((d) => describe(d).join(", "))
			.setSearchMatch((d) => pattern !== null && d.data.kind !== FEW && d.depth > 0 &&
					pattern.test(d.data.name))
			.setSearchHandler(found).onClick(zoomed).tooltip(tip);
		window.d3.select($("chart")).datum(tree.root).call(chart);
		$("reset").disabled = true;
		for (const b of $("kinds").children)
			b.setAttribute("aria-pressed", String(b.value === tree.what));
		if ($("search").value)
			search();
		else
			say_whole();
	}

	function later(f, ms) {
		let timer = 0;

		return () => {
			clearTimeout(timer);
			timer = setTimeout(f, ms);
		};
	}

	function note(text, warn) {
		const li = document.createElement("li");

		li.textContent = text;
		if (warn)
			li.className = "warn";
		$("notes").append(li);
	}

	/* --- beginning --- */

	document.title = "Flame graph: " + (data.command || data.file);
	$("command").textContent = data.command || data.file;
	$("about").textContent = data.about.join(" · ");
	for (const text of data.warnings)
		note(text, true);
	for (const text of data.notes)
		note(text, false);
	if (!data.trees.length)
		return;
	for (const t of data.trees) {
		const b = document.createElement("button");

		b.type = "button";
		b.value = t.what;
		b.textContent = t.title;
		b.addEventListener("click", () => {
			tree = t;
			draw();
		});
		$("kinds").append(b);
	}
	$("search").addEventListener("input", later(search, 150));
	$("reset").addEventListener("click", () => {
		chart.resetZoom();
		$("reset").disabled = true;
	});
	$("turn").addEventListener("click", () => {
		const on = $("turn").getAttribute("aria-pressed") !== "true";

		$("turn").setAttribute("aria-pressed", String(on));
		chart.inverted(on).update();
	});
	addEventListener("resize", later(() => chart.width(width()).update(), 100));
	addEventListener("scroll", tip.hide, { passive: true });
	addEventListener("keydown", (e) => {
		if (e.key === "Escape" && $("search").value) {
			$("search").value = "";
			search();
		} else if (e.key === "/" && document.activeElement !== $("search")) {
			e.preventDefault();
			$("search").focus();
		}
	});
	for (const id of ["tools", "status", "legend"])
		$(id).hidden = false;
	$("search").value = asked.get("search") || "";
	tree = data.trees.find((t) => t.what === asked.get("show")) || data.trees[data.first];
	draw();
})();
