# Completion of loom for bash 4 and later. It starts no program, so that a TAB costs next to nothing.
# Save it as ~/.local/share/bash-completion/completions/loom, or source it.

_loom_global="-h --help --color -q --quiet -v --verbose --debug -C --cwd --config --no-input"
_loom_agent="-m --model -i --instructions --set --cap --allow --deny --mode --max-turns --max-tokens --max-cost --timeout"
_loom_answer="-o --output --append --format --json"
_loom_session="-s --session -c --continue --no-session"

# The commands below a command; without one, all of them.
_loom_commands()
{
    case $1 in
        "") echo chat run demo sessions models keys config doctor completions help ;;
        sessions) echo list show resume path verify delete ;;
        models) echo list default ;;
        keys) echo set list delete check ;;
        config) echo show get set unset path check ;;
        completions) echo show ;;
    esac
}

# The options of a command beyond those every command takes.
_loom_options()
{
    case $1 in
        "") echo -V --version ;;
        chat) echo "$_loom_agent $_loom_session -f --file --title --line" ;;
        run) echo "$_loom_agent $_loom_session -g --goal -p --param -I --input -f --file -n --no-stdin --stdin" \
            "--dry-run $_loom_answer" ;;
        "sessions list") echo --all -n --here --status --since --json ;;
        "sessions show") echo --type --run --tail -F --follow --raw --json ;;
        "sessions resume") echo "$_loom_agent -c --continue -g --goal $_loom_answer" ;;
        "sessions verify" | "models list" | "models default" | "keys list" | doctor) echo --json ;;
        "sessions delete" | "keys delete") echo -y --yes ;;
        "config show") echo --origin --json ;;
    esac
}

# The values of an option of a command, as far as they are a list. Fails where the option takes none.
_loom_values()
{
    [[ $1 == -n && $2 == "sessions list" ]] && return
    case $1 in
        --color) echo auto always never ;;
        --mode) echo plan default auto ;;
        --stdin) echo auto require ignore head ;;
        --format) echo text json jsonl ;;
        --cap) echo shell files=read files=write files=off ;;
        -C | --cwd | --config | -i | --instructions | -f | --file | -o | --output) ;;
        -s | --session | -m | --model | --set | --allow | --deny | --title) ;;
        --max-turns | --max-tokens | --max-cost | --timeout | --tail | --since | --status | --type | --run) ;;
        -g | --goal | -p | --param | -I | --input) ;;
        *) return 1 ;;
    esac
}

# The settings there are.
_loom_settings()
{
    echo instructions input.stdin input.stdin_max_bytes input.files input.max_bytes input.values model.name \
        model.temperature model.top_p model.max_output_tokens model.reasoning model.seed model.timeout_s \
        model.retries model.base_url model.extensions capabilities.files.mode capabilities.files.deny \
        capabilities.shell.enabled capabilities.shell.timeout_s capabilities.shell.env governance.mode \
        governance.allow governance.ask governance.deny governance.on_denied governance.max_calls \
        budget.max_turns budget.max_tool_calls budget.max_tokens budget.max_cost_usd budget.timeout_s \
        session.save session.id output.format output.file output.append keys.cmd
}

# The arguments of a command.
_loom_arguments()
{
    case $1 in
        "keys set" | "keys delete" | "keys check" | "models list") echo anthropic openai deepseek ollama compatible ;;
        "config get" | "config set" | "config unset") _loom_settings ;;
        "completions show") echo bash ;;
        help) echo exit-codes environment task-file events stdin rules $(_loom_commands "") ;;
        "sessions show" | "sessions resume" | "sessions path" | "sessions verify" | "sessions delete") _loom_sessions ;;
    esac
}

# The ids of the sessions, which are the names of their directories.
_loom_sessions()
{
    local state=${LOOM_HOME:+$LOOM_HOME/state} session
    state=${state:-${XDG_STATE_HOME:-$HOME/.local/state}/loom}
    echo @last
    for session in "$state"/sessions/[0-9]*/; do
        session=${session%/}
        [[ -e $session ]] && echo "${session##*/}"
    done
}

_loom()
{
    local current=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1))
    # bash cuts a word at "=", so --mode=plan arrives as three words, and --cap files=write likewise.
    if [[ $current == "=" ]]; then
        current=""
    elif [[ ${COMP_WORDS[at]} == "=" ]]; then
        ((at--))
    fi
    local option=${COMP_WORDS[at]}
    [[ $option == files && ${COMP_WORDS[at-1]} == --cap ]] && option="--cap files"
    COMPREPLY=()

    local path="" word i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == "=" ]]; then
            ((i++))
        elif [[ $word == -* ]]; then
            _loom_values "$word" "$path" > /dev/null && [[ ${COMP_WORDS[i+1]} != "=" ]] && ((i++))
        elif [[ " $(_loom_commands "$path") " == *" $word "* ]]; then
            path=${path:+$path }$word
        fi
    done

    case $option in
        "--cap files") mapfile -t COMPREPLY < <(compgen -W "read write off" -- "$current"); return ;;
        --set) compopt -o nospace; mapfile -t COMPREPLY < <(compgen -S = -W "$(_loom_settings)" -- "$current"); return ;;
        -C | --cwd) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        -s | --session) mapfile -t COMPREPLY < <(compgen -W "$(_loom_sessions)" -- "$current"); return ;;
        -f | --file | -o | --output | -i | --instructions | --config)
            compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    esac
    if [[ $option == -* ]] && _loom_values "$option" "$path" > /dev/null; then
        mapfile -t COMPREPLY < <(compgen -W "$(_loom_values "$option" "$path")" -- "$current")
        return
    fi
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_loom_options "$path") $_loom_global" -- "$current")
        return
    fi
    mapfile -t COMPREPLY < <(compgen -W "$(_loom_commands "$path") $(_loom_arguments "$path")" -- "$current")
    if [[ ($path == run || $path == "config check") && ${#COMPREPLY[@]} -eq 0 ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _loom loom
