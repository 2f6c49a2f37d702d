# What zsh offers for a line when Tab is pressed behind it: complete.zsh SCRIPT LINE
# A real zsh with a terminal; what its completion system is given is written down on the way.
zmodload zsh/zpty
offers=$(mktemp)
zpty shell zsh -f -i
# Not before the prompt, >%>, does it read keys one by one.
zpty -w shell "autoload -Uz compinit; compinit -D -u; source $1; bindkey '^I' complete-word; LISTMAX=0
compadd() {
  typeset -a offered
  [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] || { builtin compadd -A offered \"\$@\"; print -rl -- \$offered >> $offers }
  builtin compadd \"\$@\"
}
PS1='>%%> '"
zpty -r shell text '*>%>*'
zpty -w -n shell "$2"$'\t'
# Behind it, when the line has been taken back: the completion is over.
zpty -w shell $'\C-u'"print DO''NE"
zpty -r shell text '*DONE*'
zpty -d shell
grep . $offers | sort -u
rm $offers
