"""日本語。"""

from typing import Final

from flows.agents.instructions.texts import Texts

JAPANESE: Final = Texts(
    policy="## ポリシー",
    knowledge="## ナレッジ",
    execution="## 実行コンテキスト",
    working_directory="- 作業ディレクトリ: {folder}",
    execution_rules="- 実行ルール:",
    no_commit="  - `git commit` を実行しないこと。変更はそのままの状態で引き取られます。",
    no_cd="  - `cd` を使わないこと。パスは作業ディレクトリからの相対パスで指定すること。",
    editing_on="  - このステップでは編集が許可されています(ENABLED)。ファイルを変更できます。",
    editing_asked="  - このステップでは編集が許可されています(ENABLED)。ただし変更のたびに人に確認します。",
    editing_off="  - このステップでは編集が禁止されています(DISABLED)。ファイルを変更しないこと。",
    workflow="## ワークフローコンテキスト",
    iteration="- イテレーション: {iteration}/{max_steps}(ワークフロー全体)",
    unlimited="無制限",
    step_iteration="- ステップイテレーション: {step_iteration}(このステップの開始回数)",
    step="- ステップ: {step}",
    role="- 役割: {role}",
    report_directory="- レポートディレクトリ: {report_dir}",
    report_file="- レポートファイル: {name}",
    report_place="この実行の成果物",
    request="## ユーザーリクエスト",
    previous="## 前のレスポンス",
    inputs="## 追加のユーザー入力",
    reports="## レポート",
    report_by_tool="- `{name}`{label}をツール `write_report` で、この名前のとおりに書き出すこと。",
    report_by_answer="- 回答はそのままレポート `{name}`{label}として保存されます。",
    report_format="`{name}` の形式:",
    instructions="## 指示",
    gates="## 品質ゲート\n作業を終える前に、次のすべてを満たすこと:",
    gate_command="- `{command}` が成功すること。作業後に実行され、失敗した場合はその出力が返されます。",
    structured="## 構造化出力",
    structured_rule="回答の最後に、次の JSON Schema に従う値を ```json のコードブロック一つで書くこと:",
    blocked="## 続行できない場合",
    blocked_rule=(
        "先に人からの情報や判断が必要な場合は、`[BLOCKED]` だけの行を書き、"
        "その下に `質問: ` で始まる行で必要なことを書いて回答を終えること。"
        "返答とともに、もう一度このステップが実行されます。"
    ),
    status="## ステータス出力",
    status_rule="当てはまる条件一つのタグを、ここに書かれたとおりに回答の最後に出力すること:",
    status_rule_open="次の条件のどれかが当てはまる場合は、そのタグをここに書かれたとおりに回答の最後に出力すること:",
    table_head="| # | 条件 | タグ |\n|---|------|------|",
    appendix="`{tag}` を出力する場合は、次の内容を回答に追記すること:",
    nothing="(まだありません)",
    everything="リクエストの対象すべて",
)
