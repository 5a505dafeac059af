//! What happens in a page of a browser: scripts that are put into it, and wallets that lie in it.

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, BindingPattern, CallExpression, ChainElement, Expression,
    ObjectPropertyKind, StaticMemberExpression, VariableDeclarator,
};
use weir_model::contents::CapabilityKind;

use super::syntax::{first, has, is_plain, key_name, last_name, text};
use super::{NAMES, Seen, Sure};

/// Calls of wallets by which coins leave, or are agreed to leave.
pub(super) const WALLET_CALLS: [&str; 8] = [
    "request",
    "send",
    "sendAsync",
    "sendTransaction",
    "signTransaction",
    "signAllTransactions",
    "signAndSendTransaction",
    "sign",
];

/// Names by which a page knows its wallets.
const WALLETS: [&str; 4] = ["ethereum", "solana", "phantom", "tronWeb"];

/// Whether a name of a page is that of a wallet.
pub(super) fn is_wallet(name: &str) -> bool {
    WALLETS.contains(&name)
}

/// Whether an expression is the page itself.
fn is_page(it: &Expression<'_>) -> bool {
    matches!(it, Expression::Identifier(page)
        if matches!(page.name.as_str(), "window" | "globalThis" | "self"))
}

/// `document.createElement('script')`
pub(super) fn is_new_script(call: &CallExpression<'_>) -> bool {
    last_name(&call.callee) == "createElement"
        && first(&call.arguments, 0).and_then(text) == Some("script")
}

impl Seen {
    pub(super) fn document(&mut self, function: &str, arguments: &[Argument<'_>], offset: u32) {
        if !matches!(function, "write" | "writeln") {
            return;
        }
        self.markup(first(arguments, 0), offset);
    }

    /// HTML that a page is given, with a script of another host in it.
    pub(super) fn markup(&mut self, html: Option<&Expression<'_>>, offset: u32) {
        if let Some(html) = html.and_then(|it| self.fold(it))
            && let Some((_, rest)) = html.split_once("<script")
            && let Some((_, address)) = rest.split_once("src=")
        {
            self.remote_script(address.trim_start_matches(['"', '\'', '\\']), offset);
        }
    }

    /// Whether a name is that of a script element.
    pub(super) fn is_script_element(&self, name: &str) -> bool {
        self.scripts.iter().any(|known| known == name)
    }

    /// `script.setAttribute('src', address)`
    pub(super) fn attribute(&mut self, element: &str, arguments: &[Argument<'_>], offset: u32) {
        match first(arguments, 0).and_then(text) {
            Some("src") if self.is_script_element(element) => {
                self.script_of(first(arguments, 1), offset);
            }
            Some("srcdoc") => self.markup(first(arguments, 1), offset),
            _ => {}
        }
    }

    /// Code of this address is run in the page.
    pub(super) fn script_of(&mut self, address: Option<&Expression<'_>>, offset: u32) {
        if let Some(address) = address.and_then(|it| self.fold(it)) {
            self.remote_script(&address, offset);
        }
    }

    /// `new Blob(["importScripts('https://…')"])`: text that takes a script in.
    pub(super) fn worker_text(&mut self, arguments: &[Argument<'_>], offset: u32) {
        let Some(Expression::ArrayExpression(parts)) = first(arguments, 0) else {
            return;
        };
        for part in parts.elements.iter().take(8) {
            let text = part.as_expression().and_then(|it| self.fold(it));
            if let Some(text) = text
                && let Some((_, behind)) = text.split_once("importScripts(")
            {
                let address = behind.trim_start_matches(['"', '\'', '`', '\\', ' ']);
                self.remote_script(address, offset);
            }
        }
        // Text that is put together and called code may be what was fetched.
        let is_code = matches!(first(arguments, 1), Some(Expression::ObjectExpression(options))
            if has(options, "type", |it| text(it).is_some_and(|kind| kind.contains("javascript"))));
        let is_made = |part: &ArrayExpressionElement<'_>| {
            part.as_expression().is_some_and(|it| !is_plain(it, 0))
        };
        self.runs_text |= is_code && parts.elements.iter().take(8).any(is_made);
    }

    /// A script element that is given its address by a copy of fields.
    pub(super) fn assigned_script(&mut self, arguments: &[Argument<'_>], offset: u32) {
        let (Some(element), Some(Expression::ObjectExpression(fields))) =
            (first(arguments, 0), first(arguments, 1))
        else {
            return;
        };
        let is_script = match element {
            Expression::CallExpression(call) => is_new_script(call),
            Expression::Identifier(name) => self.is_script_element(name.name.as_str()),
            _ => false,
        };
        let address = fields.properties.iter().find_map(|field| match field {
            ObjectPropertyKind::ObjectProperty(field) if key_name(&field.key) == "src" => {
                self.fold(&field.value)
            }
            _ => None,
        });
        if let (true, Some(address)) = (is_script, address) {
            self.remote_script(&address, offset);
        }
    }

    /// `import('https://…')`: what lies at the address runs.
    pub(crate) fn remote_module(&mut self, address: &str, offset: u32) {
        self.remote_code("a module", address, offset);
    }

    /// A script element is given an address.
    pub(super) fn remote_script(&mut self, address: &str, offset: u32) {
        self.remote_code("a script", address, offset);
    }

    /// `import x from 'https://…'`: only what is built for pages and other runtimes can be loaded at all then,
    /// and it says so openly.
    pub(crate) fn remote_import(&mut self, address: &str, offset: u32) {
        self.remote_code("an import", address, offset);
    }

    fn remote_code(&mut self, what: &str, address: &str, offset: u32) {
        let full = if address.starts_with("//") {
            format!("https:{address}")
        } else {
            address.to_owned()
        };
        let is_remote = full.starts_with("http://") || full.starts_with("https://");
        if !is_remote {
            return;
        }
        if let Some(host) = crate::tables::network::host_of(&full) {
            self.act(
                CapabilityKind::RemoteScript,
                match self.asks {
                    (true, true) => format!("{what} from {host}, for some visitors only"),
                    _ => format!("{what} from {host}"),
                },
                offset,
                Sure::Exact,
            );
            self.contact(&full, offset, true);
        }
    }

    /// The wallet of a page: `window.ethereum`, what lies in it (`phantom.solana`, `tronWeb.trx`), and what is
    /// another name for it.
    pub(super) fn provider<'e>(&'e self, it: &'e Expression<'_>) -> Option<&'e str> {
        match it {
            Expression::StaticMemberExpression(member) => self.provider_of(member),
            // `window.phantom?.solana || window.solana`
            Expression::ChainExpression(chain) => match &chain.expression {
                ChainElement::StaticMemberExpression(member) => self.provider_of(member),
                _ => None,
            },
            // `window['ether' + 'eum']`
            Expression::ComputedMemberExpression(member) if is_page(&member.object) => {
                let name = self.put_together(&member.expression)?;
                WALLETS.into_iter().find(|wallet| *wallet == name)
            }
            Expression::LogicalExpression(either) => self
                .provider(&either.left)
                .or_else(|| self.provider(&either.right)),
            Expression::Identifier(name) if is_wallet(name.name.as_str()) => {
                Some(name.name.as_str())
            }
            Expression::Identifier(name) => {
                let mut known = self.wallets.iter();
                let (_, wallet) = known.find(|(local, _)| local == name.name.as_str())?;
                Some(wallet)
            }
            _ => None,
        }
    }

    fn provider_of<'e>(&'e self, member: &'e StaticMemberExpression<'_>) -> Option<&'e str> {
        match &member.object {
            page if is_page(page) => {
                Some(member.property.name.as_str()).filter(|name| is_wallet(name))
            }
            inner => self.provider(inner),
        }
    }

    /// `const e = window.ethereum`, `const { ethereum: e } = window`
    pub(super) fn name_wallet(&mut self, it: &VariableDeclarator<'_>, init: &Expression<'_>) {
        if self.wallets.len() >= NAMES {
            return;
        }
        match &it.id {
            BindingPattern::BindingIdentifier(name) => {
                let wallet = self.provider(init).map(str::to_owned);
                self.wallets
                    .extend(wallet.map(|wallet| (name.name.to_string(), wallet)));
            }
            BindingPattern::ObjectPattern(pattern) if is_page(init) => {
                for property in &pattern.properties {
                    let key = key_name(&property.key);
                    if let BindingPattern::BindingIdentifier(name) = &property.value
                        && is_wallet(key)
                    {
                        self.wallets.push((name.name.to_string(), key.to_owned()));
                        let detail = format!("window.{key}");
                        self.act(CapabilityKind::Wallet, detail, it.span.start, Sure::Called);
                    }
                }
            }
            _ => {}
        }
    }
}
