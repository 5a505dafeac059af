use super::*;

fn criteria(text: &str) -> Vec<String> {
    measure(text.as_bytes()).map_or_else(Vec::new, |measured| measured.criteria)
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 2, byte & 63])
        .map(|six| char::from(LETTERS[usize::from(six)]))
        .collect()
}

fn noise(length: u32) -> Vec<u8> {
    (0..length)
        .map(|at| (at.wrapping_mul(2_654_435_761).rotate_left(7) >> 13) as u8)
        .collect()
}

#[test]
fn every_criterion_is_met_by_what_it_is_for() {
    let turned = "(function(a,b){var c=a();while(true){try{var d=-parseInt(e(0x1f))/0x1+parseInt(e(0x20))/0x2*\
        (-parseInt(e(0x21))/0x3)+-parseInt(e(0x22))/0x4+parseInt(e(0x23))/0x5;if(d===b)break;else c['push'](c['shift']());}\
        catch(f){c['push'](c['shift']());}}}(g,0x9c4a1));";
    let names: String = (0..40)
        .map(|number| format!("var _0x{number:06x}=1;"))
        .collect();
    let escapes = format!("run(\"{}\")", "\\x68\\x65\\x6c\\x6c\\x6f\\x77".repeat(20));
    let encoded: String = (0..40_u32)
        .map(|number| {
            format!(
                "'{}',",
                base64(&number.wrapping_mul(2_654_435_761).to_le_bytes()).replace('/', "q7Q")
            )
        })
        .collect();
    let blob = format!(
        "const k='{}';new Function(Buffer.from(k,'base64').toString())()",
        base64(&noise(4_096))
    );
    let codes: Vec<String> = noise(2_000).iter().map(ToString::to_string).collect();
    let faces = "ﾟωﾟﾉ= /｀ｍ´）ﾉ ~┻━┻ //*´∇｀*/ ['_']; o=(ﾟｰﾟ) =_=3; c=(ﾟΘﾟ) =(ﾟｰﾟ)-(ﾟｰﾟ);".repeat(10);
    for (text, part) in [
        (turned.to_owned(), "turned until an equation"),
        (names, "hexadecimal numbers (_0x"),
        (escapes, "written as escapes"),
        (format!("var a=[{encoded}];function d(i){{return atob(a[i])}}"), "look encoded"),
        (blob, "decoded and run"),
        (format!("eval(String.fromCharCode({}))", codes.join(",")), "become text and are run"),
        (faces, "names made of faces"),
        (format!("x={}", "[][(![]+[])[+[]]+(!![]+[])[+[]]]".repeat(40)), "without a letter or digit"),
        (
            "eval(function(p,a,c,k,e,d){while(c--){p=p.replace(c,k[c])}return p}('0 1',2,2,'a|b'.split('|'),0,{}))".to_owned(),
            "a packer",
        ),
        (
            "var o='3|1|0|2|4'['split']('|'),i=0;while(!![]){switch(o[i++]){case'0':break}}\
             var q='2|0|1'.split('|'),j=0;while(true){switch(q[j++]){case'0':break}}".to_owned(),
            "order that a string holds",
        ),
        (
            "const d='abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=';for(;;){e=d.indexOf(c);s+=String.fromCharCode(e)}".to_owned(),
            "small letters first",
        ),
        (
            "function a(){const k=['one','two','three'];a=function(){return k;};return a();}".to_owned(),
            "replaces itself",
        ),
        (
            format!("eval(\"{}\")", "var a = 1; ".repeat(200)),
            "only evaluate a string",
        ),
        ("setTimeout(()=>eval(atob('Y29uc29sZS5sb2coMSkgLy8gaGVsbG8=')),9)".to_owned(), "decoded where it is evaluated"),
        (
            "r('ch'+'ild'+'_pro'+'cess')['ex'+'ec']('cu'+'rl '+'x');f('ht'+'tps'+':'+'//'+'h'+'ost'+'.ex'+'am'+'ple')".to_owned(),
            "put together from short parts",
        ),
        (
            format!("f(0x1)['keys'](g)['map'](h)['join']('')['split']('')['sort'](i)['push'](j)['shift']()['end']({})", "0x2"),
            "members named by a string",
        ),
    ] {
        let found = criteria(&text);
        assert!(found.iter().any(|one| one.contains(part)), "{part}: {found:?}");
    }
}

#[test]
fn tables_bundles_and_data_are_not_obfuscated() {
    let unicode: String = (0x2e80..0x2fd5)
        .step_by(3)
        .map(|c| format!("\\u{c:04x}-\\u{:04x}", c + 1))
        .collect();
    let wasm = format!(
        "const w='AGFzbQEAAAAB{}';new WebAssembly.Module(Buffer.from(w,'base64'));new Function('return this')()",
        base64(&noise(4_096))
    );
    let picture = format!(
        "x.src='data:image/png;base64,{}';eval('1')",
        base64(&noise(4_096))
    );
    let map = format!(
        "a();\n//# sourceMappingURL=data:application/json;base64,{}\n",
        base64(&noise(4_096))
    );
    let dictionary: Vec<String> = noise(60_000).iter().map(ToString::to_string).collect();
    let bundle =
        "function n(t,e){return t.map(function(n){return n.value*e}).filter(Boolean).join(',')}"
            .repeat(900);
    let words: Vec<String> = (0..400)
        .map(|number| format!("'wordNumber{number}'"))
        .collect();
    // A list of words of another language, as bundlers write it.
    let kana: Vec<String> = (0x3042..0x3096)
        .map(|c| format!("'\\u{c:04x}\\u3044\\u{:04x}'", c - 1))
        .collect();
    let digests: Vec<String> = (0..60_u32)
        .map(|n| format!("'{:08x}{:08x}'", n.wrapping_mul(2_654_435_761), n))
        .collect();
    for text in [
        format!("const r=/[{unicode}]/;"),
        "var protobuf='\\n\\x0bfoo.proto\\x12\\x03foo\\x22\\x1a\\n\\x03Bar\\x12\\x13';".repeat(40),
        wasm,
        picture,
        map,
        format!("{bundle};d=new Uint8Array([{}]);String.fromCharCode(1);Function('return this')()", dictionary.join(",")),
        bundle,
        format!("const list=[{}];String.fromCharCode(65);", words.join(",")),
        format!("const known=[{}];atob(x)", digests.join(",")),
        format!("const list=[{}];Buffer.from(x,'base64')", kana.join(",")),
        "var pk1 = \"eval(function(p,a,c,k,e,r){e=String}('0',1,1,'a'.split('|'),0,{}))\";".to_owned(),
        "parseInt(a)/1;parseInt(b)/2;parseInt(c)/3;parseInt(d)/4;list.push(list.shift())".to_owned(),
        "const parts = '1|2|3'.split('|'); for (const part of parts) { use(part); }".to_owned(),
        "message = 'a long line of text that ' + 'goes on here, and ' + 'ends with this.'".repeat(30),
        "flags = 0x1 | 0x2; table = [0x00, 0x77, 0xee, 0x61]; a.b.c(d.e)".repeat(30),
        "// ------------------------------------------------------\n/* ====================== */\n".repeat(30),
        "function _templateObject(){const t=_tagged(['a']);_templateObject=function(){return t};return t}".to_owned(),
        "// `_0x` is how obfuscators name things: _0x1234 and _0xabcd\n".repeat(3),
        String::new(),
    ] {
        assert_eq!(criteria(&text), Vec::<String>::new(), "{:?}", text.get(..80));
    }
}

#[test]
fn nothing_is_quadratic() {
    for text in [
        "[".repeat(4 << 20),
        "['a',".repeat(1 << 20),
        "parseInt(".repeat(1 << 20),
        "split".repeat(1 << 20),
        "\\".repeat(4 << 20),
        "'+'".repeat(1 << 20),
        "a1B2c3D4".repeat(1 << 19),
        "1,".repeat(2 << 20),
        "=function(){return ".repeat(1 << 18),
        "eval(".repeat(1 << 20),
    ] {
        let _ = measure(text.as_bytes());
    }
}

#[test]
fn constants_that_are_undone_in_place_are_counted() {
    let hidden = r#"const fs = load(["f", "s"].join('')); fs[Buffer.from("7265", 'hex').toString()](x);
        fs["cnySeliFdaer".split('').reverse().join('')](atob("aGk="), String.fromCharCode(104, 105));"#;
    let found = criteria(hidden);
    assert!(found.len() >= 2, "{found:?}");
    assert!(found[0].contains("names of members"), "{found:?}");
    for honest in [
        // What comes from outside is decoded, and texts of people are turned around.
        "const a = atob(token); const b = Buffer.from(body, 'hex'); const c = word.split('').reverse().join('');",
        "const html = ['<p>', text, '</p>'].join(''); const key = parts[String.fromCharCode(code)];",
        "const esc = '\\x1b[31m'; const pad = table['\\x00']; exports.a = Buffer.from('aGk=', 'base64');",
        "const list = [\"a\", \"b\"].join(''); const one = atob(\"aGk=\");",
    ] {
        assert_eq!(criteria(honest), Vec::<String>::new(), "{honest}");
    }
}
